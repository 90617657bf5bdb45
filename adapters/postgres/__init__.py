"""A store in PostgreSQL: any number of processes on any number of machines.

docs/operating-postgresql.md is for its operators.
"""
