select canonical
from recipe
order by name, fingerprint
