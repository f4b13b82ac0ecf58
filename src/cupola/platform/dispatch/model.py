"""What a consumer of events is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from cupola.platform.events import Event
from cupola.platform.pg.tx import Conn

Handle: TypeAlias = Callable[[Conn, UUID, Sequence[Event]], Awaitable[None]]
NO_PROJECT = UUID(int=0)  # stands for what belongs to no project


def _remembers_nothing(_tenant: UUID) -> None:
    return


@dataclass(frozen=True, slots=True)
class Consumer:
    """Somebody who reacts to events.

    name: under which its places are kept. kinds: what it wants to hear; a trailing * means: begins with.

    handle(conn, tenant, events): the effect of some events of one tenant, in the order in which they happened, in a
    transaction of that tenant's side which also moves the place on: each event takes effect once. It must be short,
    open no other transaction that could wait for this one, and speak to nobody outside; slow work is asked for there
    (`jobs.add`). What it raises rolls all of it back. A `Problem` of the kind UNAVAILABLE says that something of ours
    is away: the same events come again. Anything else sets the projects of these events aside, each to be tried by
    itself.

    forget(tenant): called before `handle` where what this process remembers of a tenant may be untrue: another process
    had its turns meanwhile, or a transaction in which something was learnt was rolled back.
    """

    name: str
    kinds: tuple[str, ...]
    handle: Handle
    forget: Callable[[UUID], None] = _remembers_nothing

    def wants(self, kind: str) -> bool:
        """Does it want to hear events of this kind?"""
        return any(kind == k or (k.endswith("*") and kind.startswith(k[:-1])) for k in self.kinds)

    @property
    def exact(self) -> list[str]:
        """The kinds it names in full."""
        return [kind for kind in self.kinds if not kind.endswith("*")]

    @property
    def beginnings(self) -> list[str]:
        """What the other kinds that it wants begin with."""
        return [kind[:-1] for kind in self.kinds if kind.endswith("*")]


@dataclass(frozen=True, slots=True)
class Aside:
    """A project whose events a consumer could not handle; project: None for what belongs to no project.

    reason: the kind of failure and where in the code it happened, without a tenant's data; tries: failed so far.
    """

    tenant: UUID
    consumer: str
    project: UUID | None
    tries: int
    reason: str
    since: datetime
    next_at: datetime
