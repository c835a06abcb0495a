"""How good predictions are and how sure one can be: pure functions on arrays."""
