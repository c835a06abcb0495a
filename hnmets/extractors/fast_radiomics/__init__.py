"""PyRadiomics' values at many times its speed: arrays in, named values out."""
