select path, size_bytes, mtime_ns, seen_at_ns, digest
from file_stamp
order by path
