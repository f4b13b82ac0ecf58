"""Webhooks: what they look like, which events they want, how they are signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from cupola.kernel.errors import invalid
from cupola.platform import outbox

State = Literal["on", "off"]
MAX_WEBHOOKS = 20  # of one tenant
MAX_KINDS = 50  # of one webhook
SIGNATURE_HEADER = "Cupola-Signature"

_kind = re.compile(r"(\*|[a-z][a-z-]*(\.[a-z][a-z-]*)*(\.\*)?)\Z")


@dataclass(frozen=True, slots=True)
class Webhook:
    """`events`: kinds ("task.settled"), beginnings ("task.*") or "*"."""

    id: UUID
    url: str
    events: list[str]
    state: State
    created_at: datetime


@dataclass(frozen=True, slots=True)
class MadeWebhook:
    """A new webhook; `secret` is shown this once and is what signatures are made with."""

    id: UUID
    url: str
    events: list[str]
    state: State
    created_at: datetime
    secret: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one webhook. `event` is its kind; `next_at` is when it is tried (again)."""

    id: UUID
    event: str
    state: outbox.State
    tries: int
    last_status: int | None
    last_error: str | None
    last_error_code: str | None
    next_at: datetime | None
    created_at: datetime
    delivered_at: datetime | None


def check_kinds(kinds: Sequence[str]) -> list[str]:
    """The kinds without repeats. Raises Problem (INVALID) with the place."""
    for i, kind in enumerate(kinds):
        if len(kind) > 100 or not _kind.match(kind):
            raise invalid(
                "event-kind-invalid",
                f"{kind[:60]!r} is no kind of event.",
                place=f"/events/{i}",
                remedy='Write a kind ("task.settled"), the beginning of some ("task.*"), or "*" for all.',
            )
    return list(dict.fromkeys(kinds))


def wants(kinds: Sequence[str], kind: str) -> bool:
    """Does a webhook that asked for `kinds` want this one?"""
    return any(k in ("*", kind) or (k.endswith(".*") and kind.startswith(k[:-1])) for k in kinds)


def secret_of(key: bytes, tenant: UUID, webhook: UUID, salt: str) -> str:
    """A webhook's secret. Only the salt is stored: a copy of the database alone signs nothing."""
    digest = hmac.new(key, tenant.bytes + webhook.bytes + salt.encode(), hashlib.sha256).digest()
    return "whsec_" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def signature(secret: str, at: datetime, body: bytes) -> str:
    """The header's value: t=<Unix seconds>,v1=<hex HMAC-SHA256 of "t.body">."""
    moment = int(at.timestamp())
    mac = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={mac}"
