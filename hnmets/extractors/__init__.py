"""One case in, one row of features out."""
