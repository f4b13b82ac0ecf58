"""Deliveries: what a client got, never changed."""
