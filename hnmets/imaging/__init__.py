"""Masks, rings, crops and resampling on arrays."""
