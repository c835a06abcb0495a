"""Models: fusion head and its stacked trainer, baselines, and the candidates that use them."""
