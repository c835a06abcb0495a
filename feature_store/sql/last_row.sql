select coalesce(max(row_id), 0)
from feature_row
