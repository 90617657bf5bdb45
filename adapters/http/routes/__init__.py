"""The paths: which operations there are, and what each declares of itself."""
