select commit_number, committed_at, shards
from commit_log
order by commit_number
