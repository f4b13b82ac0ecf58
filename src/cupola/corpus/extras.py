"""Libraries that only some recipes need (see `kernel.extras`)."""

from __future__ import annotations

from cupola.kernel.extras import module

__all__ = ["module"]
