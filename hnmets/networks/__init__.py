"""Backbone architectures and their weights files; no training."""
