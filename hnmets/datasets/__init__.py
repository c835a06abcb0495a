"""From stored features to rows that may be fitted and rows that may only be scored."""
