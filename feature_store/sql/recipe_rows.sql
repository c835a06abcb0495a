select
    row_id, case_id, part, input_digest, content_hash, doubles, floats, reasons, flags, made_with
from feature_row
where fingerprint = $fingerprint and row_id in (select row_id from row_at($moment))
order by case_id, part
