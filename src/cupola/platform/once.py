"""Identifiers and secrets of one request, the same again for a retry.

The answer to a request that makes a secret cannot be kept for an Idempotency-Key, for no plaintext secret is ever
stored. So its identifiers and secrets are derived from the instance's secret and the key: a retry derives the same
ones, finds its row, and gives the same answer. Without a key they are random.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

from cupola.kernel import ids


@dataclass(frozen=True, slots=True)
class Once:
    """Where one request takes its identifiers and secrets from. `again`: it is known to repeat an earlier one."""

    seed: bytes | None = None
    again: bool = False

    def uuid(self, *name: object) -> UUID:
        """An identifier: new, or for a seed and a name always the same."""
        return ids.uuid7() if self.seed is None else ids.derived(self._derive("uuid", name))

    def token(self, *name: object) -> str:
        """A secret of 32 bytes in URL-safe text: 43 characters."""
        if self.seed is None:
            return ids.token(32)
        return base64.urlsafe_b64encode(self._derive("token", name)).rstrip(b"=").decode()

    def _derive(self, use: str, name: tuple[object, ...]) -> bytes:
        assert self.seed is not None
        return hmac.new(self.seed, "\0".join((use, *map(str, name))).encode(), hashlib.sha256).digest()
