"""Slow work, asked for in the transaction that makes it necessary and done by whichever worker has a hand free."""

from cupola.platform.jobs.model import Job
from cupola.platform.jobs.service import add

__all__ = ["Job", "add"]
