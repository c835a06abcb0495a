"""Search for settings: what may be chosen, who tries it, and what came of it.

A search lives in a folder: its plan, the tables that heads learn from, and a journal of trials.
Whatever tries settings needs that folder, numpy, torch and optuna alone.
"""
