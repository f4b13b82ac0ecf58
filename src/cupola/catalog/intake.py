"""From what an importer found to rows that can be stored: read, fetched, probed, hashed, put. No database here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from uuid import UUID

from cupola.catalog import media
from cupola.catalog.addresses import file_name
from cupola.catalog.contents import Gathering
from cupola.catalog.found import Context, Entry, Found, FoundPart, Noted, Refused, check_ref, refused
from cupola.catalog.media.base import Content, Probe
from cupola.catalog.media.text import check_text
from cupola.catalog.rows import PartRow, Row, Taken, facts_of, metadata_json, part_rows, row_of, store_content, together
from cupola.kernel.errors import Kind, Problem, invalid, unavailable, unforeseen
from cupola.labels import Fitted, ItemFacts, Label, encode, fitting, validate_alone
from cupola.platform.net import Fetcher, check_literal

log = logging.getLogger("cupola.imports")

CHUNK_ENTRIES = 2_000
CHUNK_BYTES = 8 * 1024 * 1024  # of texts and metadata, which a chunk holds in memory
THREADS = 2
CHUNK_URLS = 64  # a chunk of what must be fetched is short, for each fetch may take its full time
FETCHES = 8  # URLs fetched at the same time
FETCH_TRIES = 2

# Not the source's fault: the run stays as it stands and is run again.
OURS = ("import-moved", "import-stopping", "database-unreachable", "busy", "blobs-unreachable", "disk-full")

WorkerOf = Callable[[UUID], UUID]


@dataclass(slots=True)
class Chunk:
    """A stretch of the source, ready to be stored. `cursor`: that of its last entry; `last`: nothing follows."""

    rows: list[Row] = field(default_factory=list)
    refusals: list[Refused] = field(default_factory=list)
    notes: list[Noted] = field(default_factory=list)
    cursor: str | None = None
    last: bool = False


class Intake:
    """Turns the entries of one importer into chunks. `copy`: fetch URLs now; otherwise they are kept as references."""

    def __init__(
        self, entries: Iterator[Entry], context: Context, fetcher: Fetcher, worker_of: WorkerOf, *, copy: bool
    ) -> None:
        self._entries = entries
        self._context = context
        self._fetcher = fetcher
        self._worker_of = worker_of
        self._copy = copy
        self._stopping = False

    def stop(self) -> None:
        """Let work that is under way in threads end soon."""
        self._stopping = True

    async def next(self) -> Chunk:
        """The next chunk. Raises Problem when the source or the store fails as a whole."""
        entries = await asyncio.to_thread(self._take)
        chunk = Chunk(last=len(entries) == 0 or entries[-1] is None)
        known = [entry for entry in entries if entry is not None]
        if known:
            chunk.cursor = known[-1].cursor
        remote = [e for e in known if isinstance(e, Found) and self._is_remote(e)]
        near = [e for e in known if not self._is_remote(e)]
        share = -(-len(near) // THREADS) or 1
        parts = [near[at : at + share] for at in range(0, len(near), share)]
        done = await asyncio.gather(*(asyncio.to_thread(self._prepare_all, part) for part in parts))
        gate = asyncio.Semaphore(FETCHES)
        fetched = await asyncio.gather(*(self._fetch(entry, gate) for entry in remote))
        for result in (*(row for part in done for row in part), *fetched):
            if isinstance(result, Refused):
                chunk.refusals.append(result)
            elif isinstance(result, Noted):
                chunk.notes.append(result)
            else:
                chunk.rows.append(result)
                chunk.notes.extend(result.notes)
        if any(one.asset is not None for row in chunk.rows for one in row.parts or (row,)):
            await asyncio.to_thread(self._context.blobs.settle_now)
        return chunk

    def _take(self) -> Sequence[Entry | None]:
        """The next entries; a None at the end says that the source is at its end too."""
        out: list[Entry | None] = []
        held = urls = 0
        for entry in islice(self._entries, CHUNK_ENTRIES):
            out.append(entry)
            if isinstance(entry, Found):
                made_of = entry.parts or (entry,)
                held += sum(len(one.text) for one in made_of if one.text is not None)
                urls += sum(self._copy and one.url is not None for one in made_of)
            if held > CHUNK_BYTES or urls >= CHUNK_URLS:
                return out
        if len(out) < CHUNK_ENTRIES:
            out.append(None)
        return out

    def _is_remote(self, entry: Entry) -> bool:
        return self._copy and isinstance(entry, Found) and any(one.url is not None for one in entry.parts or (entry,))

    def _prepare_all(self, entries: Sequence[Entry]) -> list[Row | Refused | Noted]:
        out: list[Row | Refused | Noted] = []
        for entry in entries:
            if self._stopping:
                raise unavailable("import-stopping", "The import is being stopped.")
            out.append(self._prepare(entry) if isinstance(entry, Found) else entry)
        return out

    async def _fetch(self, entry: Found, gate: asyncio.Semaphore) -> Row | Refused:
        taken: dict[int, Taken] = {}
        made_of: Sequence[Found | FoundPart] = entry.parts or (entry,)
        for number, one in enumerate(made_of):
            if one.url is None:
                continue
            async with gate:
                got = await self._got(one, one.url)
            if isinstance(got, Problem):
                return refused(_in_part(got, number, entry), entry.ref, entry.place, entry.cursor)
            taken[number] = got
        return await asyncio.to_thread(self._prepare, entry, taken)

    async def _got(self, one: Found | FoundPart, url: str) -> Taken | Problem:
        """What an address leads to, or why it cannot be taken; tried again where its host may only be away."""
        for attempt in range(1, FETCH_TRIES + 1):
            if self._stopping:
                break
            try:
                return await self._fetched(one, url)
            except Problem as problem:
                if problem.code in OURS:
                    raise
                if problem.kind is Kind.UNAVAILABLE and attempt < FETCH_TRIES:
                    continue
                return problem
            except Exception as error:
                log.exception("what an address leads to could not be taken: %s", url)
                return _unforeseen(error)
        raise unavailable("import-stopping", "The import is being stopped.")

    async def _fetched(self, one: Found | FoundPart, url: str) -> Taken:
        with Gathering(self._context.blobs, media.most_bytes()) as gathering:
            async with self._fetcher.stream(url, max_bytes=media.most_bytes()) as (response, chunks):
                if response.status_code != 200:
                    raise invalid(
                        "url-status",
                        f"The server answered {response.status_code}.",
                        remedy="Check the URL and who may read it.",
                    )
                announced = str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()
                async for chunk in chunks:
                    gathering.add(chunk)
            name = one.name or file_name(url)
            return await asyncio.to_thread(self._store, gathering.done(), name, announced)

    def _prepare(self, entry: Found, fetched: Mapping[int, Taken] | None = None) -> Row | Refused:
        """fetched: what was taken already of what it is made of, by its place."""
        try:
            check_ref(entry.ref)
            have = fetched or {}
            if not entry.parts:
                return self._row(entry, have.get(0) or self._take_in(entry, entry.ref), ())
            taken: list[Taken] = []
            for number, part in enumerate(entry.parts):
                if self._stopping:
                    raise unavailable("import-stopping", "The import is being stopped.")
                try:
                    taken.append(have.get(number) or self._take_in(part, ""))
                except Problem as problem:
                    raise _in_part(problem, number, entry) from None
            parts = part_rows(entry.parts, taken)
            return self._row(entry, together(taken, entry.parts), parts)
        except Problem as problem:
            if problem.kind is Kind.UNAVAILABLE:
                raise  # not this entry's fault: the run stops here and can be resumed
            return refused(problem, entry.ref, entry.place, entry.cursor)
        except Exception as error:
            # Whatever one entry does to us or to a library, it refuses itself and nothing else.
            log.exception("an entry could not be taken: %s", entry.place)
            return refused(_unforeseen(error), entry.ref, entry.place, entry.cursor)

    def _take_in(self, one: Found | FoundPart, called: str) -> Taken:
        """called: what its file is called, where nothing else tells."""
        if one.read is not None:
            opened = one.read()
            with Gathering(self._context.blobs, media.most_bytes()) as gathering:
                content = gathering.add_all(opened.chunks).done()
                return self._store(content, one.name or called, opened.announced)
        if one.text is not None:
            # a message may be empty: an answer that says nothing is one
            silent = isinstance(one, FoundPart) and one.text == "" and "message" in one.meta
            body = "" if silent else check_text(one.text)
            return Taken(Probe("text/plain", text=body, characters=len(body)), len(body.encode()), body=body)
        if one.url is not None:
            check_literal(one.url, self._context.guard)
            return Taken(Probe(media.promised(file_name(one.url)) or "application/octet-stream"), 0, url=one.url)
        raise invalid("line-content", "There is nothing in it.", remedy="Give it a file, a URL or a text.")

    def _store(self, content: Content, name: str, announced: str) -> Taken:
        return store_content(self._context.blobs, self._context.tenant, content, name, announced)

    def _row(self, entry: Found, taken: Taken, parts: tuple[PartRow, ...]) -> Row:
        metadata = entry.metadata
        if taken.known.orientation != 1:
            metadata = {**metadata, "exif_orientation": taken.known.orientation}
        told = metadata_json(metadata)
        facts = facts_of(taken.known)
        pre_label, notes = _pre(entry, facts)
        gold_label = _gold(entry.gold_label, facts)
        eligible: tuple[UUID, ...] | None = None
        if entry.eligible is not None:
            eligible = tuple(sorted({self._worker_of(person) for person in entry.eligible}))
        return row_of(
            entry.ref,
            taken,
            parts,
            place=entry.place,
            metadata=told,
            pre_label=pre_label,
            gold_label=gold_label,
            eligible=eligible,
            notes=notes,
        )


def _in_part(problem: Problem, number: int, entry: Found) -> Problem:
    if entry.parts:
        problem.place = f"/parts/{number}{problem.place}"
    return problem


def _unforeseen(error: Exception) -> Problem:
    return invalid("entry-failed", unforeseen(error), remedy="Leave it out, or save it again from its source.")


def _gold(label: Label | None, facts: ItemFacts) -> str | None:
    """A label as text, checked as far as it can be before anybody has said which ontology it is for."""
    if label is None:
        return None
    try:
        validate_alone(label, facts)
    except Problem as problem:
        raise invalid(
            problem.code, problem.detail, place=f"/gold_label{problem.place}", remedy=problem.remedy
        ) from None
    return encode(label).decode()


def _pre(entry: Found, facts: ItemFacts) -> tuple[str | None, tuple[Noted, ...]]:
    """What of a pre-label fits the item: it is an offer to whoever draws, so a part of it is better than none."""
    if entry.pre_label is None:
        return None, ()
    found: Fitted = fitting(entry.pre_label, facts)
    text = encode(found.label).decode() if found.label is not None else None
    if not found.left_out:
        return text, ()
    first = found.left_out[0]
    told = f"{len(found.left_out)} of its parts do not fit" if text is not None else "It does not fit"
    where = f" (at /pre_label{first.place})" if first.place else ""
    return text, (
        Noted(
            entry.ref,
            entry.place,
            entry.cursor,
            "pre-label-cut" if text is not None else "pre-label-dropped",
            f"{told} and {'are' if text is not None else 'is'} left out: {first.detail}{where}",
            first.remedy,
        ),
    )
