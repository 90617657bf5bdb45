"""Whom to let in: what a request shows, what that grants, and for how long."""
