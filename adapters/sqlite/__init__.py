"""A store in one SQLite file: one machine, any number of processes."""
