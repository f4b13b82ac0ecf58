"""The text of keys, tokens and links, and what of them is stored: a SHA-256, which suffices for 256 random bits.

A key and an invitation carry their tenant, because row level security must be told the tenant before the row can be
looked for; whoever alters that part only looks for the hash in a tenant that does not have it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from uuid import UUID

from cupola.identity.model import World

# Scripts written for the public clients tell the worlds by these beginnings; keys made before bear the older ones.
KEY_PREFIX: dict[World, str] = {"live": "live_", "test": "test_"}
OLDER_KEY_PREFIX: dict[World, str] = {"live": "cup_live_", "test": "cup_test_"}
PERSON_PREFIX = "cup_person_"
INVITATION_PREFIX = "inv_"
LINK_PREFIX = "lnk_"
_TENANT_CHARS = 22  # 16 bytes in base64url without padding
MAX_CHARS = 200


@dataclass(frozen=True, slots=True)
class ForTenant:
    """A credential that names its tenant."""

    tenant: UUID
    hash: bytes


def hashed(text: str) -> bytes:
    """What is stored of a random secret. Passwords never come here: they are argon2id."""
    return hashlib.sha256(text.encode()).digest()


def for_tenant(prefix: str, tenant: UUID, secret: str) -> str:
    """A credential's text: prefix, the tenant's 16 bytes, the secret."""
    return prefix + base64.urlsafe_b64encode(tenant.bytes).rstrip(b"=").decode() + secret


def read_for_tenant(prefix: str, text: str) -> ForTenant | None:
    """The tenant and the hash of such a text, or None where it is none."""
    rest = text.removeprefix(prefix)
    if len(rest) == len(text) or not _TENANT_CHARS + 20 <= len(rest) <= MAX_CHARS:
        return None
    try:
        raw = base64.b64decode(rest[:_TENANT_CHARS] + "==", altchars=b"-_", validate=True)
        return ForTenant(UUID(bytes=raw), hashed(text))
    except (binascii.Error, ValueError):
        return None


def read_key(text: str) -> tuple[World, ForTenant] | None:
    """The world and the tenant that an API key claims, or None where the text is no key."""
    for prefixes in (KEY_PREFIX, OLDER_KEY_PREFIX):
        for world, prefix in prefixes.items():
            found = read_for_tenant(prefix, text)
            if found is not None:
                return world, found
    return None


def shown_prefix(key: str, world: World) -> str:
    """Enough of a key to tell it from others, too little to guess it."""
    return f"{KEY_PREFIX[world]}…{key[-4:]}"
