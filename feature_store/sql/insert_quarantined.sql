insert into quarantined (case_id, code, stage, detail, noted_at)
select case_id, code, stage, detail, noted_at
from batch
order by case_id, stage
