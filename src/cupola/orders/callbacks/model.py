"""Messages to a client about its orders: what they look like, and when they are tried again."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

State = Literal["waiting", "delivered", "failed"]
_mailbox = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*\Z")
AUTH_HEADER = "scale-callback-auth"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message on its way. kind: completed, error, audit, recall, batch; next_at: when it is tried (again)."""

    id: UUID
    task: UUID | None
    batch: UUID | None
    kind: str
    url: str
    state: State
    tries: int
    last_status: int | None
    last_error: str | None
    last_error_code: str | None
    next_at: datetime | None
    created_at: datetime
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Message(Delivery):
    """A delivery with what it says. body: the JSON text that is sent, the same at every try."""

    body: str


def auth_of(key: bytes, tenant: UUID) -> str:
    """What the header of every callback of a world says, so that its receiver knows who sends it."""
    digest = hmac.new(key, tenant.bytes, hashlib.sha256).digest()
    return "cb_" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def subject_of(kind: str, subject: UUID | None) -> str:
    """The subject line of a callback that goes out as mail."""
    return f"Cupola: {kind} {subject or ''}".strip()


def can_be_mailed(receiver: str) -> bool:
    """One plain address and nothing else: no display name, no second receiver, no header."""
    return _mailbox.match(receiver) is not None


def is_email(receiver: str) -> bool:
    return "@" in receiver and not receiver.startswith(("http://", "https://"))
