"""What comes in: NIfTI files, clinical tables, outcomes, the synthetic cohort."""
