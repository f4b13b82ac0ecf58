"""Events: written in the business transaction, read by tailing the table. The spine of everything that reacts.

A handler is idempotent by construction: the place of its consumer is kept in the transaction of its effect.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from cupola.kernel import clock
from cupola.platform import store
from cupola.platform.pg.tx import Conn
from cupola.platform.store import EventRow

Event = EventRow


async def emit(
    conn: Conn, tenant: UUID, kind: str, subject: UUID | None, project: UUID | None = None, **data: Any
) -> int:
    """Append an event in the caller's transaction; `data` holds identifiers and counts, never a tenant's payload."""
    return await store.EVENT_APPEND.one(
        conn,
        tenant=tenant,
        kind=kind,
        subject=subject,
        project=project,
        data=msgspec.json.encode(data).decode(),
        at=clock.now(),
    )
