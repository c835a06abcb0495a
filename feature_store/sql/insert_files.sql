insert into file_stamp (path, size_bytes, mtime_ns, seen_at_ns, digest)
select path, size_bytes, mtime_ns, seen_at_ns, digest
from batch
order by path
