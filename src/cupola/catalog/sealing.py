"""A source's secrets at rest: an import that stops must be able to go on, but nobody is to read a key in a table."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
from cryptography.fernet import Fernet, InvalidToken

from cupola.kernel.errors import conflict

SECRETS = ("access_key_id", "secret_access_key", "session_token")
_SEALED = "sealed"


def seal(key: bytes, source: dict[str, Any]) -> dict[str, Any]:
    """The source with its secrets in one sealed text. key: 32 bytes of the instance's own."""
    secrets = {name: source[name] for name in SECRETS if name in source}
    open_part = {name: value for name, value in source.items() if name not in SECRETS and name != _SEALED}
    if not secrets:
        return open_part
    return {**open_part, _SEALED: _fernet(key).encrypt(msgspec.json.encode(secrets)).decode()}


def unseal(key: bytes, source: dict[str, Any]) -> dict[str, Any]:
    """The source as it was given. Raises Problem (CONFLICT) when the instance's secret has changed since."""
    sealed = source.get(_SEALED)
    if sealed is None:
        return source
    try:
        secrets = msgspec.json.decode(_fernet(key).decrypt(str(sealed).encode()))
    except InvalidToken:
        raise conflict(
            "source-sealed",
            "The keys of this source cannot be opened: the instance's secret has changed.",
            remedy="Start a new import with the keys.",
        ) from None
    return {**forget(source), **secrets}


def forget(source: dict[str, Any]) -> dict[str, Any]:
    """The source without its secrets."""
    return {name: value for name, value in source.items() if name != _SEALED}


def _fernet(key: bytes) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(key))
