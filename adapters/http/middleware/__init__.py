"""Middleware: what happens to every request, whatever its path."""
