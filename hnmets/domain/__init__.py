"""What the stages talk about: cases, regions, geometry, outcomes, problems."""
