"""Deliveries of changes to the addresses that subscribed to them."""
