"""Registered models: packages without pickle, what predicts from them, versions and gates."""
