-- Without the values, in the order in which rows were appended.
select fingerprint, case_id, part, input_digest, content_hash
from feature_row
where row_id in (select row_id from row_at($moment))
order by row_id
