"""A store in PostgreSQL: any number of processes on any number of machines.

What its operators should know is in docs/operating-postgresql.md.
"""
