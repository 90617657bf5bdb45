"""Metrics for Prometheus: which there are, how they are counted, how they are written."""
