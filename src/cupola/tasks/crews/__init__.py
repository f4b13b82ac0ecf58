"""Crews: people named by their addresses, to whom alone some tasks are offered."""
