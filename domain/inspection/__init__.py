"""Inspecting a store for damage: the findings, the port that reads a store, and the checks that all stores share."""
