insert into commit_log (commit_number, committed_at, shards)
values ($commit_number, $committed_at, $shards)
