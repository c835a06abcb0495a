"""What of a crop a network may see."""

from typing import Literal

# Tumour and ring with the CT around them, or one region with the CT inside it alone.
Variant = Literal["both", "tumour", "ring"]
