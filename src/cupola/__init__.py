"""Cupola, the open data foundry."""

__version__ = "0.1.0"
