insert into feature_row (
    row_id, commit_number, valid_from, fingerprint, case_id, part, input_digest, content_hash,
    doubles, floats, reasons, flags, made_with
)
select
    row_id, $commit_number, $valid_from, fingerprint, case_id, part, input_digest, content_hash,
    doubles, floats, reasons, flags, made_with
from batch
order by row_id
