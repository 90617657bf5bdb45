"""Backroom: the tasks and the products of a small shop behind one small, durable HTTP service."""
