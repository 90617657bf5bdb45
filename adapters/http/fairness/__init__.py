"""Keeping one client from stopping the others."""
