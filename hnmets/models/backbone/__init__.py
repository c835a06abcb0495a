"""Backbones trained end to end for the outcome, one model per fold; needs numpy and torch."""
