"""Distant metastasis of head and neck cancer from CT, masks and clinical data."""
