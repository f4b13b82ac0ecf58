"""A small client of Cupola's own API: what the command line, the demo and the replay use."""

from __future__ import annotations

from cupola.client.http import ApiError, Client

__all__ = ["ApiError", "Client"]
