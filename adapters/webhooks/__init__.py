"""Deliveries of changes to the endpoints that subscribe to them."""
