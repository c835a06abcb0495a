"""Versioned feature rows in DuckDB; knows tables, not tumours."""
