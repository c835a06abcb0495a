"""A head-and-neck-like cohort whose truth is known: CT, masks, table, outcome."""
