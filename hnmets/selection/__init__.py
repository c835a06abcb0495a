"""What is learned from training rows before a model: imputation, scaling, selection."""
