select case_id, code, stage, detail, noted_at
from quarantined
order by case_id, stage, code, detail
