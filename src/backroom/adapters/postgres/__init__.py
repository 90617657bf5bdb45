"""A store in PostgreSQL: any number of processes on any number of machines."""
