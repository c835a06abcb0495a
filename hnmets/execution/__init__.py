"""Where work runs; knows callables, not tumours."""
