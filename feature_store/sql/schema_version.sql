select schema_version
from meta
