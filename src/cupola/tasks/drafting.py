"""Unfinished work, kept on the server: as a whole, or as the difference from what is kept already."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated
from uuid import UUID

import msgspec
import psycopg

from cupola.kernel import clock, limits
from cupola.kernel.errors import Kind, Problem, conflict
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime
from cupola.tasks import drafts
from cupola.tasks.work import stale_fence
from cupola.tasks.working import homes, store
from cupola.tasks.working.saying import Fence, malformed
from cupola.tasks.working.store import DraftHeld

Revision = Annotated[int, msgspec.Meta(ge=1, le=limits.MAX_REVISION)]
Writer = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern="^[!-~]*$")]


class DraftIn(msgspec.Struct, forbid_unknown_fields=True):
    """A whole draft. writer: the opened editor that will send differences from it; none is needed."""

    fence: Fence
    label: msgspec.Raw
    rev: Revision
    writer: Writer | None = None


class DraftChangeIn(msgspec.Struct, forbid_unknown_fields=True):
    """The difference of a draft from its revision `base`, as this writer sent it before, to `rev`."""

    fence: Fence
    writer: Writer
    base: Revision
    rev: Revision
    change: drafts.Change


_whole = msgspec.json.Decoder(DraftIn)
_change = msgspec.json.Decoder(DraftChangeIn)


async def keep(run: Runtime, person: UUID, assignment: UUID, task: UUID, body: bytes) -> DraftHeld:
    """Keep a draft; returns what is held then. An older revision that arrives late changes nothing.

    A draft need not fit the ontology yet: it is work on the way. Raises Problem: CONFLICT "stale-fence" where a newer
    page of the same person holds the task.
    """
    try:
        asked = _whole.decode(body)
    except msgspec.DecodeError as error:
        raise malformed(error) from error
    _check_size(len(asked.label))
    home = await homes.of_page(run, person, assignment)
    async with run.db.tx(Role.GATEWAY, tenant=home.tenant, worker=home.worker, person=person) as conn:
        with _refusals():
            held = await store.DRAFT.maybe(
                conn,
                tenant=home.tenant,
                assignment=assignment,
                worker=home.worker,
                fence=asked.fence,
                task=task,
                writer=asked.writer or "",
                label=bytes(asked.label).decode(),
                rev=asked.rev,
                max_bytes=limits.MAX_DRAFTS_BYTES,
                now=clock.now(),
            )
    return _held(held)


async def change(run: Runtime, person: UUID, assignment: UUID, task: UUID, body: bytes) -> DraftHeld:
    """Keep the difference from what this writer sent before; returns what is held then.

    Raises Problem: CONFLICT "draft-base-missing" where that is not here any more (another editor wrote meanwhile, or an
    answer was lost longer ago than is remembered): send the whole.
    """
    try:
        asked = _change.decode(body)
    except msgspec.DecodeError as error:
        raise malformed(error) from error
    drafts.check(asked.change)
    text = msgspec.json.encode(asked.change).decode()
    _check_size(len(text))
    home = await homes.of_page(run, person, assignment)
    async with run.db.tx(Role.GATEWAY, tenant=home.tenant, worker=home.worker, person=person) as conn:
        with _refusals():
            held = await store.DRAFT_PATCH.maybe(
                conn,
                tenant=home.tenant,
                assignment=assignment,
                worker=home.worker,
                fence=asked.fence,
                task=task,
                writer=asked.writer,
                base=asked.base,
                rev=asked.rev,
                patch=text,
                max_bytes=limits.MAX_DRAFTS_BYTES,
                now=clock.now(),
            )
            if held is not None and held.patches >= limits.MAX_DRAFT_PATCHES:
                mine = {"tenant": home.tenant, "worker": home.worker, "task": task}
                label = drafts.whole((await store.DRAFT_TEXT.one(conn, **mine)).text)
                await store.DRAFT_GATHER.maybe(conn, **mine, rev=held.rev, label=label.decode())
    if held is not None and not held.taken:
        raise conflict(
            "draft-base-missing",
            "The draft that this is a difference from is not here any more.",
            remedy="Send the whole label.",
            rev=held.rev,
        )
    return _held(held)


def _held(held: DraftHeld | None) -> DraftHeld:
    if held is None:
        raise conflict("draft-of-nothing", "This task is submitted already, or not on this page.")
    return held


def _check_size(size_bytes: int) -> None:
    if size_bytes > limits.MAX_DRAFT_BYTES:
        raise Problem(
            Kind.TOO_LARGE,
            "draft-too-large",
            f"The draft is larger than {limits.MAX_DRAFT_BYTES // 2**20} MB.",
            remedy="Draw fewer or simpler objects: as a label it would be refused too.",
            place="/label",
        )


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except psycopg.errors.ProgramLimitExceeded as error:
        raise Problem(
            Kind.TOO_LARGE,
            "drafts-too-large",
            f"Your drafts together are larger than {limits.MAX_DRAFTS_BYTES // 2**20} MB.",
            remedy="Submit some of what you have begun; it is checked task by task.",
            place="/label",
        ) from error
    except psycopg.errors.ObjectNotInPrerequisiteState as error:
        raise stale_fence() from error
