"""Files as answers: handed in for an item, named by a label, looked at by whoever may see that label.

A label may name only what was handed in for its item, so that nobody reaches a blob by naming its hash.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from uuid import UUID

from cupola.catalog.media.handed_in import HEAD_BYTES, type_of
from cupola.kernel import clock, limits
from cupola.kernel.errors import Kind, Problem, conflict, invalid, not_found
from cupola.labels import Label, files_of
from cupola.labels.ontology import FileAnswer, Ontology
from cupola.labels.places import BLANKS, unstorable
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime
from cupola.platform.web import Member
from cupola.tasks.handing_in import store
from cupola.tasks.working import homes

URL_LIFE_S = 300
Files = dict[UUID, set[tuple[str, str, str, int]]]  # {task: what its label may name}


async def hand_in_work(
    run: Runtime, person: UUID, assignment: UUID, task: UUID, name: str, chunks: AsyncIterator[bytes]
) -> FileAnswer:
    """Keep a file of a contributor for a task on a page of theirs.

    Raises Problem: NOT_FOUND for a task that they do not hold; INVALID; TOO_LARGE; CONFLICT "answer-files-many",
    "answer-files-much". What may not be kept is not stored either.
    """
    home = await homes.of_page(run, person, assignment)
    held = {"tenant": home.tenant, "worker": home.worker, "assignment": assignment, "task": task}
    async with run.db.tx(Role.GATEWAY, tenant=home.tenant, worker=home.worker, person=person) as conn:
        room = _room(await store.WORK_MAY_HAND_IN.maybe(conn, **held, **_bounds()), "task on a page that you hold")
    made = await _kept(run, home.tenant, name, chunks, room)
    async with run.db.tx(Role.GATEWAY, tenant=home.tenant, worker=home.worker, person=person) as conn:
        before = await store.WORK_HAND_IN.maybe(conn, **held, **_bounds(), **_columns(made))
    if _room(before, "task on a page that you hold") < made.bytes:
        raise _too_much()
    return made


async def hand_in(run: Runtime, who: Member, item: UUID, name: str, chunks: AsyncIterator[bytes]) -> FileAnswer:
    """Keep a file of somebody who adjudicates or audits. Raises Problem as `hand_in_work` does."""
    giver = who.person or who.key
    assert giver is not None
    asked = {"tenant": who.tenant, "item": item, "giver": giver}
    async with run.db.tx(Role.APP, tenant=who.tenant) as conn:
        room = _room(await store.MAY_HAND_IN.maybe(conn, **asked, **_bounds()), "item")
    made = await _kept(run, who.tenant, name, chunks, room)
    async with run.db.tx(Role.APP, tenant=who.tenant) as conn:
        if _room(await store.MAY_HAND_IN.maybe(conn, **asked, **_bounds()), "item") < made.bytes:
            raise _too_much()
        await store.HAND_IN.run(conn, **asked, **_columns(made))
    return made


def _bounds() -> dict[str, object]:
    return {
        "most": limits.MAX_ANSWER_FILES,
        "most_bytes": limits.MAX_ANSWER_BYTES_A_DAY,
        "since": clock.now() - timedelta(days=1),
    }


def _room(room: int | None, what: str) -> int:
    """Bytes that may still come. room: of `may_hand_in`. Raises Problem (NOT_FOUND, CONFLICT) where none may."""
    if room is None:
        raise not_found(what)
    if room < 0:
        raise conflict(
            "answer-files-many",
            f"At most {limits.MAX_ANSWER_FILES} files are taken from one person for one item.",
            remedy="Use one of those that you handed in.",
        )
    if room == 0:
        raise _too_much()
    return room


async def address_for_work(run: Runtime, person: UUID, assignment: UUID, task: UUID, sha256: str) -> str:
    """Where a contributor reads a file that a label of their page may name. Raises Problem (NOT_FOUND)."""
    home = await homes.of_page(run, person, assignment)
    async with run.db.tx(Role.GATEWAY, tenant=home.tenant, worker=home.worker, person=person) as conn:
        media_type = await store.WORK_FILE_TYPE.maybe(
            conn,
            tenant=home.tenant,
            worker=home.worker,
            assignment=assignment,
            task=task,
            sha256=_hash(sha256),
        )
    return _address(run, home.tenant, sha256, media_type, f"person:{person}")


async def address(run: Runtime, who: Member, item: UUID, sha256: str) -> str:
    """Where a member reads a file that was handed in for an item. Raises Problem (NOT_FOUND)."""
    async with run.db.tx(Role.APP, tenant=who.tenant) as conn:
        media_type = await store.FILE_TYPE.maybe(conn, tenant=who.tenant, item=item, sha256=_hash(sha256))
    return _address(run, who.tenant, sha256, media_type, who.name)


async def media_type_of(conn: Conn, tenant: UUID, sha256: str) -> str:
    """Of a file that was handed in to an organisation. Raises Problem (NOT_FOUND)."""
    found = await store.NAMED.maybe(conn, tenant=tenant, sha256=_hash(sha256))
    if found is None:
        raise not_found("file")
    return found


async def for_page(conn: Conn, tenant: UUID, worker: UUID, assignment: UUID, ontology: Ontology) -> Files:
    """What labels of a page may name; asked of the database only where a form asks for files."""
    found: Files = {}
    if ontology.asks_files:
        for row in await store.WORK_HANDED_IN.all(conn, tenant=tenant, worker=worker, assignment=assignment):
            found.setdefault(row.task, set()).add((row.sha256.hex(), row.name, row.media_type, row.bytes))
    return found


def check(label: Label, there: Iterable[tuple[str, str, str, int]]) -> None:
    """Raises Problem (INVALID) at a file that nobody handed in."""
    known = set(there)
    for place, file in files_of(label):
        if (file.sha256, file.name, file.media_type, file.bytes) not in known:
            raise invalid(
                "answer-file-unknown",
                f"The file {file.name[:100]!r} was not handed in for this item.",
                place=place,
                remedy="Hand it in first; name it as the answer did.",
            )


async def check_for_task(conn: Conn, tenant: UUID, task: UUID, label: Label) -> None:
    """Of a label by a member. Raises Problem (INVALID) at a file that nobody handed in for the task's item."""
    wanted = [bytes.fromhex(file.sha256) for _, file in files_of(label)]
    if wanted:
        rows = await store.OF_TASK.all(conn, tenant=tenant, task=task, sha256s=wanted)
        check(label, ((row.sha256.hex(), row.name, row.media_type, row.bytes) for row in rows))


async def _kept(run: Runtime, tenant: UUID, name: str, chunks: AsyncIterator[bytes], room: int) -> FileAnswer:
    if not name.strip(BLANKS) or unstorable(name):
        raise invalid("answer-file-name", "The file has no name.", place="name", remedy="Give it one.")
    head = b""
    async for chunk in chunks:
        head += chunk
        if len(head) >= HEAD_BYTES:
            break
    if not head:
        raise invalid("answer-file-empty", "The file is empty.", remedy="Choose the file that has the content.")
    media_type = type_of(head[:HEAD_BYTES])
    if media_type is None:
        raise invalid(
            "answer-file-type",
            "Files of this type are not taken.",
            remedy="Hand in a picture, PDF, text, sound, film or zip archive.",
        )

    async def all_of_it() -> AsyncIterator[bytes]:
        yield head
        async for chunk in chunks:
            yield chunk

    try:
        stored = await run.blobs.put_stream(tenant, all_of_it(), max_bytes=min(room, limits.MAX_ANSWER_FILE_BYTES))
    except Problem as problem:
        if problem.kind is not Kind.TOO_LARGE:
            raise
        if room < limits.MAX_ANSWER_FILE_BYTES:
            raise _too_much() from None
        most = limits.MAX_ANSWER_FILE_BYTES // 1_000_000
        raise Problem(
            Kind.TOO_LARGE,
            "answer-file-large",
            f"A file that is handed in has at most {most} MB.",
            remedy="Hand in a smaller one.",
        ) from None
    return FileAnswer(stored.sha256, name.strip(BLANKS)[-limits.MAX_NAME_CHARS :], media_type, stored.size_bytes)


def _columns(made: FileAnswer) -> dict[str, object]:
    return {
        "sha256": bytes.fromhex(made.sha256),
        "name": made.name,
        "media_type": made.media_type,
        "bytes": made.bytes,
        "now": clock.now(),
    }


def _hash(sha256: str) -> bytes:
    try:
        return bytes.fromhex(sha256)
    except ValueError:
        raise not_found("file") from None


def _address(run: Runtime, tenant: UUID, sha256: str, media_type: str | None, bound_to: str) -> str:
    if media_type is None:
        raise not_found("file")
    return run.blobs.sign_local(tenant, sha256, expires_s=URL_LIFE_S, bound_to=bound_to, media_type=media_type)


def _too_much() -> Problem:
    most = limits.MAX_ANSWER_BYTES_A_DAY // 1_000_000
    return conflict(
        "answer-files-much",
        f"At most {most:,} MB of files are taken from one person within a day.",
        remedy="Use one of those that you handed in, or hand this one in tomorrow.",
    )
