"""Serialization of domain values: for stores, HTTP responses and webhook messages."""
