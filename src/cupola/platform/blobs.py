"""Blobs: bytes named by their SHA-256, each tenant's in its own folder of a local directory or an S3 bucket.

Six verbs: put, get (whole, a range, or a stream), head, delete, list, sign. A blob never changes, so a put that finds
its name taken has succeeded. What is stored twice is the same bytes.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import hashlib
import hmac
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit
from uuid import UUID

import obstore
from obstore import exceptions as trouble
from obstore.store import LocalStore, S3Store

from cupola.kernel import clock, ids, limits
from cupola.kernel.errors import Kind, Problem, forbidden, invalid, not_found, unavailable

CHUNK_BYTES = 1024 * 1024
INCOMING = ".incoming"  # where streams grow until their hash is known; never listed as a tenant
SIGNED_PATH = "/blobs"
FRAMES_PATH = "/frames"
ANSWER_S = 5.0  # how long a store may take to begin its answer
BYTES_PER_S = 256 * 1024  # slower than this it is as good as away
RENEW_S = 24 * 60 * 60  # what a bucket has had for longer is put again by who puts it
MAX_SIGNED_S = 7 * 24 * 60 * 60
FULL_BYTES = 64 * 1024 * 1024  # with less than this free, a disk is full: Postgres's own log needs as much
_syncfs = ctypes.CDLL(None, use_errno=True).syncfs  # of Linux; Python has no name for it
_FRAMES = "frames/"  # stands where a blob has its media type
_sha = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class Stored:
    """A blob that is there. `sha256`: lower-case hex; `fresh`: this put wrote it (None where that is not known)."""

    tenant: UUID
    sha256: str
    size_bytes: int
    fresh: bool | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """What a verified signature allows."""

    tenant: UUID
    sha256: str
    media_type: str


class Blobs:
    """The store. Build it with `Blobs.open`. Safe to use from several threads and tasks."""

    def __init__(self, store: LocalStore | S3Store, root: Path | None, secret: bytes) -> None:
        self._store = store
        self._root = root  # of a local store
        self._secret = hashlib.sha256(b"cupola blobs\0" + secret).digest()

    @classmethod
    def open(cls, where: str | Path, *, secret: bytes, **s3: Any) -> Blobs:
        """Open a local folder (made if absent) or `s3://bucket/prefix`.

        secret: what local URLs are signed with. s3: settings for obstore's S3Store, such as `endpoint`, `region`,
        `access_key_id`, `secret_access_key`; without them AWS's usual environment variables count.
        Raises Problem (INVALID) when the folder cannot be used.
        """
        text = str(where)
        if text.startswith("s3://"):
            endpoint = str(s3.get("endpoint") or os.environ.get("AWS_ENDPOINT_URL") or "")
            # for one request as a whole: the parts of a large file are requests of their own
            options: Any = {"timeout": timedelta(seconds=60), "connect_timeout": timedelta(seconds=ANSWER_S)}
            if endpoint.startswith("http://"):
                options["allow_http"] = True
            retry: Any = {"max_retries": 2, "retry_timeout": timedelta(seconds=10)}
            return cls(S3Store.from_url(text, client_options=options, retry_config=retry, **s3), None, secret)
        if "://" in text:
            raise invalid(
                "blobs-url", f"{text!r} is no place for blobs.", remedy="Give a folder or s3://bucket/prefix."
            )
        root = Path(text).resolve()
        try:
            (root / INCOMING).mkdir(parents=True, exist_ok=True, mode=0o700)
            root.chmod(0o700)  # the files in it are readable as their maker's umask has it: nobody else gets there
        except OSError as error:
            raise invalid(
                "blobs-folder", f"The folder {root} cannot be used: {error.strerror}.", remedy="Give a writable folder."
            ) from None
        return cls(LocalStore(prefix=root), root, secret)

    # ------------------------------------------------------------ put
    def put_now(self, tenant: UUID, data: bytes) -> Stored:
        """Store bytes, blocking: for worker threads. On the disk for certain only after `settle_now`."""
        sha256 = hashlib.sha256(data).hexdigest()
        with _mapped(writing=True):
            try:
                obstore.put(self._store, f"{tenant}/{sha256}", data, mode="create")
            except trouble.AlreadyExistsError:
                if not self._renewed(f"{tenant}/{sha256}"):
                    obstore.put(self._store, f"{tenant}/{sha256}", data)
                return Stored(tenant, sha256, len(data), False)
        return Stored(tenant, sha256, len(data), True)

    async def put(self, tenant: UUID, data: bytes) -> Stored:
        """Store bytes under their hash. Raises Problem (UNAVAILABLE) when the store cannot be reached."""
        sha256 = hashlib.sha256(data).hexdigest()
        with _mapped(writing=True):
            try:
                async with asyncio.timeout(ANSWER_S + len(data) / BYTES_PER_S):
                    await obstore.put_async(self._store, f"{tenant}/{sha256}", data, mode="create")
            except trouble.AlreadyExistsError:
                if not await asyncio.to_thread(self._renewed, f"{tenant}/{sha256}"):
                    await obstore.put_async(self._store, f"{tenant}/{sha256}", data)
                return Stored(tenant, sha256, len(data), False)
            await asyncio.to_thread(self._settle, f"{tenant}/{sha256}")
        return Stored(tenant, sha256, len(data), True)

    def settle_now(self) -> None:
        """Wait until everything put by `put_now` is on the disk, blocking. Before a transaction that names many blobs
        commits: the database's log is on the disk with its commit, and must not name what a power cut takes away."""
        if self._root is None:
            return  # a bucket's answer says that it is kept
        folder = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            if _syncfs(folder):
                raise _away(OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno())))
        finally:
            os.close(folder)

    def _settle(self, key: str) -> None:
        """Put one blob of a local store, and its name, on the disk."""
        if self._root is None:
            return
        for path, flags in ((self._root / key, os.O_RDONLY), ((self._root / key).parent, os.O_RDONLY | os.O_DIRECTORY)):
            descriptor = os.open(path, flags)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def _renewed(self, key: str) -> bool:
        """Make what is there as new, blocking: the sweeper takes only what nobody has put for long. False: put it
        again, for it is gone, or a bucket has had it for long, which knows no other way."""
        if self._root is not None:
            try:
                os.utime(self._root / key)
            except FileNotFoundError:
                return False
            return True
        found = obstore.head(self._store, key)
        return (clock.now() - found["last_modified"]).total_seconds() < RENEW_S

    def incoming(self) -> Path:
        """A path for a file that grows here before it is stored with `adopt_now`; whoever asks takes it away."""
        folder = self._root / INCOMING if self._root is not None else Path(tempfile.gettempdir())
        return folder / f"cupola-{ids.uuid7()}"

    def adopt_now(self, tenant: UUID, path: Path, sha256: str, size_bytes: int) -> Stored:
        """Store a whole file under its hash, blocking: for worker threads. A file from `incoming` is moved."""
        key = _key(tenant, sha256)
        with _mapped(writing=True):
            try:
                if self._root is not None and path.parent == self._root / INCOMING:
                    obstore.rename(self._store, f"{INCOMING}/{path.name}", key, overwrite=False)
                elif self._renewed(key):
                    return Stored(tenant, sha256, size_bytes, False)
                else:
                    obstore.put(self._store, key, path, chunk_size=16 * 1024 * 1024, max_concurrency=2)
            except trouble.AlreadyExistsError:
                if not self._renewed(key):
                    obstore.put(self._store, key, path, chunk_size=16 * 1024 * 1024, max_concurrency=2)
                return Stored(tenant, sha256, size_bytes, False)
            except (FileNotFoundError, trouble.NotFoundError):
                if not path.is_file():
                    raise
                # The same name is the same bytes, so a race of two writers is harmless.
                obstore.put(self._store, key, path, chunk_size=16 * 1024 * 1024, max_concurrency=2)
        return Stored(tenant, sha256, size_bytes, True)

    async def put_stream(
        self, tenant: UUID, chunks: AsyncIterator[bytes], *, max_bytes: int = limits.MAX_UPLOAD_BYTES
    ) -> Stored:
        """Store a stream at constant memory, hashed on the way.

        The bytes grow in a file of their own first, because their name is known only at the end; a stream that breaks
        off leaves nothing behind. Raises Problem: TOO_LARGE, UNAVAILABLE.
        """
        folder = self._root / INCOMING if self._root is not None else None
        path = (folder or Path(tempfile.gettempdir())) / f"cupola-{ids.uuid7()}"
        digest, size = hashlib.sha256(), 0
        try:
            with _mapped(writing=True), path.open("xb") as file:
                async for chunk in chunks:
                    size += len(chunk)
                    if size > max_bytes:
                        raise Problem(
                            Kind.TOO_LARGE,
                            "upload-too-large",
                            f"More than {max_bytes} bytes.",
                            remedy="Send it in smaller parts.",
                        )
                    digest.update(chunk)
                    file.write(chunk)
            fresh = await self._adopt(path, f"{tenant}/{digest.hexdigest()}")
            return Stored(tenant, digest.hexdigest(), size, fresh)
        finally:
            with suppress(OSError):  # the store may be away by now
                path.unlink(missing_ok=True)

    async def _adopt(self, path: Path, key: str) -> bool:
        with _mapped(writing=True):
            if self._root is not None:
                try:
                    await obstore.rename_async(self._store, f"{INCOMING}/{path.name}", key, overwrite=False)
                except trouble.AlreadyExistsError:
                    if await asyncio.to_thread(self._renewed, key):
                        return False
                    await obstore.put_async(self._store, key, path)
                await asyncio.to_thread(self._settle, key)
                return True
            try:
                async with asyncio.timeout(ANSWER_S):
                    if await asyncio.to_thread(self._renewed, key):
                        return False
                await obstore.put_async(self._store, key, path, chunk_size=16 * 1024 * 1024, max_concurrency=2)
                return False
            except (FileNotFoundError, trouble.NotFoundError):
                # The same name is the same bytes, so a race of two writers is harmless.
                await obstore.put_async(self._store, key, path, chunk_size=16 * 1024 * 1024, max_concurrency=2)
                return True

    # ------------------------------------------------------------ get, head, delete, list
    async def get(self, tenant: UUID, sha256: str, start: int = 0, end: int | None = None) -> bytes:
        """The bytes from `start` up to but not including `end`. Raises Problem: NOT_FOUND, UNAVAILABLE."""
        return b"".join([chunk async for chunk in self.stream(tenant, sha256, start, end)])

    def get_now(self, tenant: UUID, sha256: str) -> bytes:
        """The whole blob, blocking: for worker threads."""
        with _mapped():
            return bytes(obstore.get(self._store, _key(tenant, sha256)).bytes())

    async def stream(self, tenant: UUID, sha256: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The same in chunks of about 1 MiB."""
        key = _key(tenant, sha256)
        if end is not None and end <= start:
            return
        wanted: Any = None
        if end is not None:
            wanted = {"range": (start, end)}
        elif start:
            wanted = {"range": {"offset": start}}
        with _mapped():
            async with asyncio.timeout(ANSWER_S):
                found = await obstore.get_async(self._store, key, options=wanted)
            async for chunk in found.stream(min_chunk_size=CHUNK_BYTES):
                yield bytes(chunk)

    async def head(self, tenant: UUID, sha256: str) -> Stored | None:
        """What is known of a blob, or None where there is none."""
        try:
            with _mapped():
                async with asyncio.timeout(ANSWER_S):
                    meta = await obstore.head_async(self._store, _key(tenant, sha256))
        except Problem as problem:
            if problem.kind is Kind.NOT_FOUND:
                return None
            raise
        return Stored(tenant, sha256, meta["size"])

    async def check(self) -> None:
        """Whether the store answers, within a few seconds. Raises Problem (UNAVAILABLE) saying why it does not."""
        with _mapped(missing_is_fine=self._root is None, writing=self._root is not None):
            if self._root is not None:
                room = await asyncio.to_thread(shutil.disk_usage, self._root / INCOMING)
                if room.free < FULL_BYTES:
                    raise _full()
                return
            with suppress(FileNotFoundError, trouble.NotFoundError):
                async with asyncio.timeout(ANSWER_S):
                    await obstore.head_async(self._store, ".check")

    async def delete(self, tenant: UUID, sha256: str) -> None:
        """Remove a blob; one that is not there is no error."""
        with suppress(FileNotFoundError), _mapped(missing_is_fine=True):
            await obstore.delete_async(self._store, _key(tenant, sha256))

    async def delete_old(self, tenant: UUID, sha256: str, before: datetime) -> bool:
        """Remove a blob unless it was put since; whether it went. Of a local store it is first taken aside, so that
        who puts it at this moment finds it gone, or has made it new. A bucket knows no such step: there a moment lies
        between the look and the removal."""
        key = _key(tenant, sha256)
        with _mapped(missing_is_fine=True):
            if self._root is not None:
                return await asyncio.to_thread(self._taken, key, before.timestamp())
            async with asyncio.timeout(ANSWER_S):
                if (await obstore.head_async(self._store, key))["last_modified"] >= before:
                    return False
                await obstore.delete_async(self._store, key)
                return True
        return False

    def _taken(self, key: str, before_s: float) -> bool:
        assert self._root is not None
        aside = self._root / INCOMING / f"swept-{ids.uuid7()}"
        os.rename(self._root / key, aside)
        if aside.stat().st_mtime < before_s:
            aside.unlink()
            return True
        with suppress(FileExistsError):  # put again meanwhile
            os.link(aside, self._root / key)
        aside.unlink()
        return False

    async def list(self, tenant: UUID, *, before: datetime | None = None) -> AsyncIterator[Stored]:
        """All blobs of a tenant, in no order; before: those alone that were put, and put again, before then."""
        with _mapped():
            async for batch in obstore.list(self._store, prefix=str(tenant), chunk_size=1_000):
                for meta in batch:
                    if before is not None and meta["last_modified"] >= before:
                        continue
                    yield Stored(tenant, meta["path"].rsplit("/", 1)[-1], meta["size"])

    @contextmanager
    def local_file(self, tenant: UUID, sha256: str) -> Iterator[Path]:
        """The blob as a file to read (blocking): the stored one itself, or a copy that lives as long as the context."""
        key = _key(tenant, sha256)
        if self._root is not None:
            path = self._root / key
            if not path.is_file():
                raise not_found("blob")
            yield path
            return
        with tempfile.TemporaryDirectory(prefix="cupola-") as folder:
            path = Path(folder) / sha256
            if shutil.disk_usage(folder).free < FULL_BYTES:
                raise unavailable("disk-full", "The temporary folder is full.", retry_after_s=60)
            with _mapped(), path.open("xb") as file:
                for chunk in obstore.get(self._store, key).stream(min_chunk_size=CHUNK_BYTES):
                    file.write(chunk)
            yield path

    # ------------------------------------------------------------ sign
    async def sign(
        self,
        tenant: UUID,
        sha256: str,
        *,
        expires_s: int = 3600,
        bound_to: str = "",
        media_type: str = "",
        direct: bool = False,
    ) -> str:
        """A URL that reads one blob until it expires: path and query on our own server.

        bound_to: who must ask (any text that `verify` is given again; it is not in the URL).
        direct: the bucket's own URL where there is a bucket, for programs; it works for whoever holds it, and pages
        of ours do not load it, since they load nothing from elsewhere.
        """
        if direct and isinstance(self._store, S3Store):
            with _mapped():
                url: str = await obstore.sign_async(
                    self._store, "GET", _key(tenant, sha256), timedelta(seconds=min(expires_s, MAX_SIGNED_S))
                )
                return url
        return self.sign_local(tenant, sha256, expires_s=expires_s, bound_to=bound_to, media_type=media_type)

    def sign_local(
        self, tenant: UUID, sha256: str, *, expires_s: int = 3600, bound_to: str = "", media_type: str = ""
    ) -> str:
        """The same without waiting for anything: for a local folder and for a bucket alike, whose bytes we pass on.

        The expiry is rounded up to the next full tenth of the lifetime, so that a list asked for twice gives the
        same URLs and the browser's cache holds.
        """
        step = max(1, min(expires_s, MAX_SIGNED_S) // 10)
        until = (int(clock.now().timestamp()) // step + 11) * step
        query = {"e": str(until)} | ({"t": media_type} if media_type else {})
        query["s"] = self._signature(tenant, sha256, until, bound_to, media_type)
        return f"{SIGNED_PATH}/{_key(tenant, sha256)}?{urlencode(query, quote_via=quote)}"

    def sign_frames(
        self, tenant: UUID, sha256: str, frame_table: str, *, expires_s: int = 3600, bound_to: str = ""
    ) -> str:
        """As `sign_local`, for the frames of a video by the table that numbers them (its SHA-256)."""
        told = self.sign_local(tenant, sha256, expires_s=expires_s, bound_to=bound_to, media_type=_FRAMES + frame_table)
        return FRAMES_PATH + told.removeprefix(SIGNED_PATH)

    def verify_frames(self, path: str, query: str, *, bound_to: str = "") -> Grant:
        """Check a URL of `sign_frames`; the grant's `media_type` is the frame table's SHA-256. Raises as `verify`."""
        grant = self.verify(f"{SIGNED_PATH}{path.removeprefix(FRAMES_PATH)}?{query}", bound_to=bound_to)
        if not grant.media_type.startswith(_FRAMES):
            raise _refused()
        return replace(grant, media_type=grant.media_type.removeprefix(_FRAMES))

    def verify(self, path_and_query: str, *, bound_to: str = "") -> Grant:
        """Check one of our own URLs. Raises Problem: FORBIDDEN (false or expired), NOT_FOUND (another path)."""
        parts = urlsplit(path_and_query)
        steps = parts.path.removeprefix(SIGNED_PATH + "/").split("/")
        if not parts.path.startswith(SIGNED_PATH + "/") or len(steps) != 2 or not _sha.match(steps[1]):
            raise not_found("blob")
        try:
            tenant = UUID(steps[0])
            query = {name: values[0] for name, values in parse_qs(parts.query, max_num_fields=8).items()}
            until = int(query.get("e", ""))
        except ValueError:
            raise _refused() from None
        media_type = query.get("t", "")
        expected = self._signature(tenant, steps[1], until, bound_to, media_type)
        given = query.get("s", "").encode()
        if not hmac.compare_digest(expected.encode(), given) or clock.now().timestamp() > until:
            raise _refused()
        return Grant(tenant, steps[1], media_type)

    def _signature(self, tenant: UUID, sha256: str, until: int, bound_to: str, media_type: str) -> str:
        message = "\n".join(("v1", str(tenant), sha256, str(until), media_type, bound_to)).encode()
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()


def parse_range(header: str | None, size_bytes: int) -> tuple[int, int] | None:
    """One byte range of an HTTP Range header as [start, end), or None for the whole (RFC 9110, 14.2).

    Several ranges and unknown units are answered with the whole, as the RFC allows. Raises Problem (INVALID) code
    "range-unsatisfiable" when it starts behind the end.
    """
    found = re.fullmatch(r"bytes=(\d{0,19})-(\d{0,19})", (header or "").strip())
    if found is None or found.group(0) == "bytes=-":
        return None
    first, last = found.groups()
    if not first:
        start, end = max(0, size_bytes - int(last)), size_bytes
    else:
        start, end = int(first), min(size_bytes, int(last) + 1 if last else size_bytes)
    if first and last and int(last) < int(first):
        return None
    if start >= size_bytes or start >= end:
        raise invalid("range-unsatisfiable", f"The blob has {size_bytes} bytes.", remedy="Ask for a range within them.")
    return start, end


def _key(tenant: UUID, sha256: str) -> str:
    if not _sha.match(sha256):
        raise not_found("blob")
    return f"{tenant}/{sha256}"


def _refused() -> Problem:
    return forbidden("This link is not valid, or no longer.", remedy="Load the page again to get a fresh one.")


@contextmanager
def _mapped(*, missing_is_fine: bool = False, writing: bool = False) -> Iterator[None]:
    """Errors of the store in our own words. writing: what is missing is the store itself."""
    try:
        yield
    except (FileNotFoundError, trouble.NotFoundError) as error:
        if writing:
            raise _away(error) from error
        if not missing_is_fine:
            raise not_found("blob") from None
    except TimeoutError as error:
        raise unavailable("blobs-unreachable", "The store of files does not answer.", retry_after_s=10) from error
    except (trouble.BaseError, OSError) as error:
        if isinstance(error, trouble.AlreadyExistsError):
            raise
        raise _away(error) from error


def _full() -> Problem:
    return unavailable(
        "disk-full", "The disk that files are kept on is full; the operator must make room.", retry_after_s=30
    )


def _away(error: Exception) -> Problem:
    if getattr(error, "errno", None) == errno.ENOSPC or "os error 28" in str(error):  # the store tells it in words
        return _full()
    first_line = str(error).strip().splitlines()[:1]
    return unavailable("blobs-unreachable", f"The store of files cannot be used: {' '.join(first_line)[:300]}")
