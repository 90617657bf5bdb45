"""Fairness: no client can keep the others from being served."""
