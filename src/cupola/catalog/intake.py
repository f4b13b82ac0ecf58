"""From what an importer found to rows that can be stored: read, fetched, probed, hashed, put. No database here."""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from uuid import UUID

import msgspec

from cupola.catalog.found import Context, Entry, Found, Refused, check_ref, refused
from cupola.catalog.probe import check_text, probe
from cupola.kernel import ids, limits
from cupola.kernel.errors import Kind, Problem, invalid, unavailable
from cupola.labels import Label, encode, validate_shapes
from cupola.platform.net import Answer, Fetcher, check_literal

CHUNK_ENTRIES = 2_000
CHUNK_BYTES = 8 * 1024 * 1024  # of texts and metadata, which a chunk holds in memory
THREADS = 2
CHUNK_URLS = 64  # a chunk of what must be fetched is short, for each fetch may take its full time
FETCHES = 8  # URLs fetched at the same time
FETCH_TRIES = 2
MAX_METADATA_BYTES = 64 * 1024

_TYPES = mimetypes.types_map | {".webp": "image/webp", ".avif": "image/avif"}

WorkerOf = Callable[[UUID], UUID]


@dataclass(frozen=True, slots=True)
class Row:
    """An item that can be stored. asset: hash of the blob that was put; fingerprint: of all its content."""

    id: UUID
    ref: str
    place: str
    media_type: str
    asset: bytes | None
    url: str | None
    body: str | None
    size_bytes: int
    width_px: int | None
    height_px: int | None
    metadata: str
    pre_label: str | None
    gold_label: str | None
    eligible: tuple[UUID, ...] | None
    fingerprint: bytes


@dataclass(slots=True)
class Chunk:
    """A stretch of the source, ready to be stored. `cursor`: that of its last entry; `last`: nothing follows."""

    rows: list[Row] = field(default_factory=list)
    refusals: list[Refused] = field(default_factory=list)
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
            else:
                chunk.rows.append(result)
        return chunk

    def _take(self) -> Sequence[Entry | None]:
        """The next entries; a None at the end says that the source is at its end too."""
        out: list[Entry | None] = []
        held = urls = 0
        for entry in islice(self._entries, CHUNK_ENTRIES):
            out.append(entry)
            if isinstance(entry, Found) and entry.text is not None:
                held += len(entry.text)
            urls += self._is_remote(entry)
            if held > CHUNK_BYTES or urls >= CHUNK_URLS:
                return out
        if len(out) < CHUNK_ENTRIES:
            out.append(None)
        return out

    def _is_remote(self, entry: Entry) -> bool:
        return self._copy and isinstance(entry, Found) and entry.url is not None

    def _prepare_all(self, entries: Sequence[Entry]) -> list[Row | Refused]:
        out: list[Row | Refused] = []
        for entry in entries:
            if self._stopping:
                raise unavailable("import-stopping", "The import is being stopped.")
            out.append(entry if isinstance(entry, Refused) else self._prepare(entry, None))
        return out

    async def _fetch(self, entry: Found, gate: asyncio.Semaphore) -> Row | Refused:
        assert entry.url is not None
        async with gate:
            try:
                answer = await self._answer(entry.url)
            except Problem as problem:
                return refused(problem, entry.ref, entry.place, entry.cursor)
            return await asyncio.to_thread(self._prepare, entry, answer.body)

    async def _answer(self, url: str) -> Answer:
        for attempt in range(1, FETCH_TRIES + 1):
            if self._stopping:
                break
            try:
                answer = await self._fetcher.fetch(url, max_bytes=limits.MAX_IMAGE_BYTES)
            except Problem as problem:
                if problem.kind is Kind.UNAVAILABLE and attempt < FETCH_TRIES:
                    continue
                raise
            if answer.status != 200:
                raise invalid(
                    "url-status", f"The server answered {answer.status}.", remedy="Check the URL and who may read it."
                )
            return answer
        raise unavailable("import-stopping", "The import is being stopped.")

    def _prepare(self, entry: Found, data: bytes | None) -> Row | Refused:
        try:
            check_ref(entry.ref)
            return self._row(entry, data)
        except Problem as problem:
            if problem.kind is Kind.UNAVAILABLE:
                raise  # not this entry's fault: the run stops here and can be resumed
            return refused(problem, entry.ref, entry.place, entry.cursor)

    def _row(self, entry: Found, data: bytes | None) -> Row:
        metadata = entry.metadata
        if data is None and entry.read is not None:
            data = entry.read()
        asset: bytes | None = None
        url: str | None = None
        body: str | None = None
        width = height = None
        if data is not None:
            known = probe(data, entry.ref)
            media_type, size, body = known.media_type, len(data), known.text
            width, height = known.width_px, known.height_px
            if known.orientation != 1:
                metadata = {**metadata, "exif_orientation": known.orientation}
            if body is None:
                asset = bytes.fromhex(self._context.blobs.put_now(self._context.tenant, data).sha256)
        elif entry.text is not None:
            body = check_text(entry.text)
            media_type, size = "text/plain", len(body.encode())
        elif entry.url is not None:
            check_literal(entry.url, self._context.guard)
            url, size = entry.url, 0
            media_type = _announced(url)
        else:
            raise invalid("line-content", "There is nothing in it.", remedy="Give it a file, a URL or a text.")
        told = _metadata(metadata)
        pre_label = _label(entry.pre_label, "pre_label", width, height)
        gold_label = _label(entry.gold_label, "gold_label", width, height)
        eligible: tuple[UUID, ...] | None = None
        if entry.eligible is not None:
            eligible = tuple(sorted({self._worker_of(person) for person in entry.eligible}))
        content = msgspec.msgpack.encode((media_type, asset, url, body, told, pre_label, gold_label, eligible))
        return Row(
            ids.uuid7(), entry.ref, entry.place, media_type, asset, url, body, size, width, height, told,
            pre_label, gold_label, eligible, hashlib.sha256(content).digest(),
        )  # fmt: skip


def _label(label: Label | None, name: str, width_px: int | None, height_px: int | None) -> str | None:
    """A label as text, checked as far as it can be before anybody has said which ontology it is for."""
    if label is None:
        return None
    try:
        validate_shapes(label, width_px=width_px, height_px=height_px)
    except Problem as problem:
        raise invalid(problem.code, problem.detail, place=f"/{name}{problem.place}", remedy=problem.remedy) from None
    return encode(label).decode()


def _announced(url: str) -> str:
    """The media type that a URL's ending promises."""
    ending = url.partition("?")[0].rpartition(".")[2].lower()
    return _TYPES.get("." + ending, "application/octet-stream")


def _metadata(metadata: Mapping[str, object]) -> str:
    if not metadata:
        return "{}"
    try:
        told = msgspec.json.encode(metadata, order="deterministic").decode()
    except (TypeError, ValueError, msgspec.MsgspecError) as error:
        raise invalid("metadata-malformed", f"The metadata is no JSON: {error}.", remedy="Use JSON values.") from None
    if len(told) > MAX_METADATA_BYTES:
        raise invalid(
            "metadata-too-large",
            f"The metadata has {len(told)} characters; at most {MAX_METADATA_BYTES} are taken.",
            remedy="Keep what people need to see.",
        )
    if "\\u0000" in told:
        raise invalid("metadata-malformed", "The metadata holds U+0000.", remedy="Remove that character.")
    return told
