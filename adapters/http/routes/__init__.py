"""The paths, with their operations and the declarations of these."""
