"""Backup and restore: the database and the files beside it, as one stream of tar.

The stream is: `cupola-backup.json` (what it is), `database.dump` (pg_dump's custom format), the files of each part
(`blobs/…`), and last `SHA256SUMS` over everything before it. The dump is taken first: blobs are never changed or
taken away while something points at them, so every blob that the dump names is among the files read after it.
A restore builds everything aside, checks every sum, and only then puts it in the place of what was there.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

import psycopg
from psycopg import conninfo

import cupola
from cupola.kernel import clock
from cupola.kernel.errors import Kind, Problem, conflict, invalid
from cupola.platform.pg import migrate, store
from cupola.platform.pg.binaries import MAJOR, Binaries

FORMAT = 1
HEADER = "cupola-backup.json"
DUMP = "database.dump"
SUMS = "SHA256SUMS"
_PIECE_BYTES = 1024 * 1024
_MAX_HEADER_BYTES = 64 * 1024
_LEAVING_S = 5.0
_UNKNOWN = 'unrecognized configuration parameter "transaction_timeout"'
_ALL_OF_THEM = re.compile(r"errors ignored on restore: 1\Z")
_PROGRAM_TIMEOUT_S = 24 * 60 * 60
_MAINTENANCE_DATABASE = "postgres"


@dataclass(frozen=True, slots=True)
class Report:
    """What a backup holds, or a restore put back."""

    database: str
    schema: str  # the revision of the schema
    files: int
    bytes: int  # of the files and the dump
    made_at: str  # RFC 3339, UTC


def _programs_connection(url: str) -> tuple[list[str], dict[str, str]]:
    """Arguments and environment for Postgres's programs: a password travels in the environment alone."""
    parts = conninfo.conninfo_to_dict(url)
    password = parts.pop("password", None)
    text = {name: str(value) for name, value in parts.items() if value is not None}
    return ["--dbname", conninfo.make_conninfo("", **text)], {"PGPASSWORD": str(password)} if password else {}


def _database_of(url: str) -> str:
    return str(conninfo.conninfo_to_dict(url).get("dbname") or store.DATABASE)


class _Summed:
    """A reader that counts and hashes what passes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.bytes = 0

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self._digest.update(piece)
        self.bytes += len(piece)
        return piece

    def line(self, name: str) -> bytes:
        return f"{self._digest.hexdigest()}  {json.dumps(name)}\n".encode()


def _files_of(part: Path) -> Iterator[tuple[str, Path]]:
    """The regular files of a part, names sorted; a link is never followed."""
    if part.is_file():
        yield "", part
        return
    for folder, names, files in os.walk(part):
        names.sort()
        for name in sorted(files):
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(part).as_posix(), path


def _add(tar: tarfile.TarFile, name: str, file: IO[bytes], size: int, sums: IO[bytes]) -> int:
    info = tarfile.TarInfo(name)
    info.size = size
    info.mode = 0o600
    info.mtime = int(clock.now().timestamp())
    summed = _Summed(file)
    tar.addfile(info, summed)
    sums.write(summed.line(name))
    return summed.bytes


def backup(admin_url: str, target: Path, parts: Mapping[str, Path]) -> Report:
    """Write the database of `admin_url` and the files of `parts` to one file, which appears only when it is whole.

    admin_url: a superuser's or a role's that bypasses row level security, else nothing of any tenant could be read.
    parts: a word -> a folder or a file, e.g. {"blobs": data / "blobs"}; an absent one is left out.
    Raises Problem where the database is not of Cupola, cannot be read whole, or the target cannot be written.
    """
    target = target.absolute()  # the programs of Postgres run elsewhere
    schema = migrate.present(admin_url)
    if schema is None:
        raise conflict(
            "backup-nothing", "This database holds no Cupola.", remedy="Check --data, or CUPOLA_DATABASE_URL."
        )
    made_at = clock.now().isoformat()
    arguments, environment = _programs_connection(admin_url)
    count, total = 0, 0
    partial = target.with_name(target.name + ".partial")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".cupola-backup-") as scratch:
            dump = Path(scratch, DUMP)
            Binaries.for_clients().run(
                "pg_dump",
                [*arguments, "--format=custom", "--compress=gzip:1", "--file", str(dump)],
                as_account=False,
                environment=environment,
                timeout_s=_PROGRAM_TIMEOUT_S,
            )
            header = {
                "format": FORMAT,
                "cupola": cupola.__version__,
                "postgres": MAJOR,
                "schema": schema,
                "database": _database_of(admin_url),
                "made_at": made_at,
                "parts": sorted(name for name, path in parts.items() if path.exists()),
            }
            with (
                partial.open("wb") as out,
                tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as tar,
                Path(scratch, SUMS).open("w+b") as sums,
            ):
                partial.chmod(0o600)
                text = json.dumps(header, indent=2).encode()
                _add(tar, HEADER, io.BytesIO(text), len(text), sums)
                with dump.open("rb") as file:
                    total += _add(tar, DUMP, file, dump.stat().st_size, sums)
                for name, part in sorted(parts.items()):
                    for inside, path in _files_of(part):
                        with path.open("rb") as file:
                            size = os.fstat(file.fileno()).st_size
                            total += _add(tar, str(PurePosixPath(name, inside)), file, size, sums)
                        count += 1
                size = sums.tell()
                sums.seek(0)
                info = tarfile.TarInfo(SUMS)
                info.size = size
                tar.addfile(info, sums)
            with partial.open("rb") as written:
                os.fsync(written.fileno())
            os.replace(partial, target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise Problem(
            Kind.UNAVAILABLE,
            "backup-failed",
            f"The backup could not be written to {target}: {error}.",
            remedy="Choose a folder with enough room that you may write to.",
        ) from error
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return Report(_database_of(admin_url), schema, count, total, made_at)


def _broken(why: str) -> Problem:
    return invalid(
        "backup-broken", f"This backup cannot be used: {why}.", remedy="Take another copy of it; nothing was changed."
    )


def _read_header(tar: tarfile.TarFile, sums: IO[bytes]) -> dict[str, object]:
    first = tar.next()
    if first is None or first.name != HEADER or not first.isfile() or first.size > _MAX_HEADER_BYTES:
        raise _broken(f"it does not begin with {HEADER}, so it is no backup made by Cupola")
    file = tar.extractfile(first)
    if file is None:
        raise _broken(f"{HEADER} cannot be read")
    summed = _Summed(file)
    try:
        header = json.loads(summed.read())
    except ValueError:
        raise _broken(f"{HEADER} is not JSON") from None
    sums.write(summed.line(HEADER))
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise _broken("it is of another format, made by another version of Cupola")
    if not isinstance(header.get("schema"), str) or str(header["schema"]) > migrate.head():
        raise invalid(
            "backup-too-new",
            f"This backup was made by Cupola {header.get('cupola')} with schema {header.get('schema')}; "
            f"this is {cupola.__version__}, which knows up to {migrate.head()}.",
            remedy=f"Install Cupola {header.get('cupola')} or later, then restore again.",
        )
    postgres = header.get("postgres")
    if not isinstance(postgres, int) or postgres > MAJOR:
        raise invalid(
            "backup-too-new",
            f"This backup was made by Postgres {postgres}; the programs here are of {MAJOR}.",
            remedy="Install a later Cupola, then restore again.",
        )
    return header


def _inside(member: tarfile.TarInfo, roots: Mapping[str, Path]) -> Path:
    """Where a member is to be written. Raises Problem for a name that leads anywhere else."""
    name = PurePosixPath(member.name)
    if not member.isfile() or name.is_absolute() or ".." in name.parts or not name.parts:
        raise _broken(f"{member.name!r} is no plain file inside it")
    root = roots.get(name.parts[0])
    if root is None:
        raise invalid(
            "backup-unknown-part",
            f"This backup holds {name.parts[0]!r}, for which there is no place here.",
            remedy="Restore it with the settings of the instance that it was made from.",
        )
    return root.joinpath(*name.parts[1:])


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _unpack(source: Path, scratch: Path, aside: Mapping[str, Path]) -> tuple[dict[str, object], int, int]:
    """Write the dump into `scratch` and each file into its part's folder aside; check every sum."""
    count, total = 0, 0
    roots = {**aside, DUMP: scratch / DUMP}
    found = (scratch / "found").open("w+b")
    with found, tarfile.open(source, mode="r|*") as tar:
        header = _read_header(tar, found)
        while (member := tar.next()) is not None:
            file = tar.extractfile(member) if member.isfile() else None
            if member.name == SUMS and file is not None:
                found.seek(0)
                while True:
                    declared, ours = file.read(_PIECE_BYTES), found.read(_PIECE_BYTES)
                    if declared != ours:
                        raise _broken("a file in it does not have the sum that it had when it was made")
                    if not ours:
                        return header, count, total
            path = _inside(member, roots)
            if file is None:
                raise _broken(f"{member.name!r} cannot be read")
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            summed = _Summed(file)
            with open(path, "xb", opener=_private) as out:
                shutil.copyfileobj(summed, out, _PIECE_BYTES)
            if summed.bytes != member.size:
                raise _broken("it ends in the middle")
            found.write(summed.line(member.name))
            total += summed.bytes
            count += member.name != DUMP
    raise _broken("it ends in the middle")


@contextmanager
def _maintenance(admin_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(
        conninfo.make_conninfo(admin_url, dbname=_MAINTENANCE_DATABASE), autocommit=True, connect_timeout=10
    ) as conn:
        yield conn


def _refuse_what_is_there(admin_url: str, parts: Mapping[str, Path], force: bool) -> None:
    database = _database_of(admin_url)
    with _maintenance(admin_url) as conn:
        for name in (f"{database}_replaced", *(str(_beside(part, "replaced")) for part in parts.values())):
            if store.exists(conn, name) or (Path(name).is_absolute() and Path(name).exists()):
                raise conflict(
                    "restore-cut-off",
                    f"A restore was cut off while it changed places; what was there before is kept as {name}.",
                    remedy=f"Once you are sure that it is not needed, drop or delete {name}, then restore again.",
                )
        if not store.exists(conn, database):
            return
        # a server that was just stopped takes a moment to end its connections
        end_s = clock.monotonic_s() + _LEAVING_S
        while (busy := store.sessions(conn, database)) and clock.monotonic_s() < end_s:
            clock.sleep(0.1)
        if busy:
            raise conflict(
                "restore-in-use",
                f"Somebody is connected to the database {database}.",
                remedy="Stop cupola up, serve and worker, then restore again.",
            )
    if force:
        return
    with psycopg.connect(admin_url) as conn:
        filled = [f"database {database}"] if store.has_tables(conn) else []
    # a lone file, such as the secret that every start makes, is nothing that one could miss
    filled += [f"folder {part}" for part in parts.values() if part.is_dir() and any(True for _ in _files_of(part))]
    if filled:
        raise conflict(
            "restore-not-empty",
            f"The {filled[0]} is not empty.",
            remedy="Restore into a new data folder with --data, or say --force to replace what is there.",
        )


def _beside(part: Path, word: str) -> Path:
    return part.with_name(f"{part.name}.{word}")


def _swap(admin_url: str, new: str, parts: Mapping[str, Path]) -> None:
    """Put the new database and files in the place of the old ones; where a step fails, undo those before it."""
    database = _database_of(admin_url)
    old = f"{database}_replaced"
    with _maintenance(admin_url) as conn:
        with ExitStack() as undo:
            if store.exists(conn, database):
                store.rename(conn, database, old)
                undo.callback(store.rename, conn, old, database)
            store.rename(conn, new, database)
            undo.callback(store.rename, conn, database, new)
            for part in parts.values():
                if part.exists():
                    os.replace(part, _beside(part, "replaced"))
                    undo.callback(os.replace, _beside(part, "replaced"), part)
                if _beside(part, "restoring").exists():
                    os.replace(_beside(part, "restoring"), part)
                    undo.callback(os.replace, part, _beside(part, "restoring"))
            undo.pop_all()
        store.drop(conn, old)
    for part in parts.values():
        _delete(_beside(part, "replaced"))


def restore(admin_url: str, source: Path, parts: Mapping[str, Path], password: str, *, force: bool = False) -> Report:
    """Put back what `backup` wrote, in the place of what is there, or change nothing.

    parts: as for `backup`; password: as for `migrate.migrate`, which brings an older backup to the present schema.
    Raises Problem for a target that is in use or not empty (unless `force`), and for a backup that is broken, cut
    off, tampered with or too new.
    """
    source = source.absolute()
    if not source.is_file():
        raise invalid("backup-missing", f"There is no file {source}.", remedy="Check the path.")
    _refuse_what_is_there(admin_url, parts, force)
    database = _database_of(admin_url)
    new = f"{database}_restoring"
    new_url = conninfo.make_conninfo(admin_url, dbname=new)
    aside = {name: _beside(part, "restoring") for name, part in parts.items()}
    roomy = next(iter(parts.values()), source).parent  # where the files go; the backup may be on a read-only disk
    try:
        for path in aside.values():
            _delete(path)
        with tempfile.TemporaryDirectory(dir=roomy, prefix=".cupola-restore-") as scratch:
            try:
                header, count, total = _unpack(source, Path(scratch), aside)
            except (tarfile.TarError, EOFError, FileExistsError) as error:
                raise _broken(str(error)) from error
            with _maintenance(admin_url) as conn:
                store.drop(conn, new)
                store.create(conn, new)
                migrate.migrate(new_url, password)  # for the roles, which belong to no database and no dump
                store.drop(conn, new)
                store.create(conn, new)
                knows_timeout = conn.info.server_version >= 170_000
            _fill(new_url, Path(scratch, DUMP), knows_timeout)
        migrate.migrate(new_url, password)
        _swap(admin_url, new, parts)
    except (OSError, psycopg.Error) as error:
        raise Problem(
            Kind.UNAVAILABLE,
            "restore-failed",
            f"The backup could not be restored: {str(error).strip()}. What was there before is unchanged.",
            remedy="Mend that, then restore again.",
        ) from error
    finally:
        for path in aside.values():
            _delete(path)
    return Report(database, str(header["schema"]), count, total, str(header["made_at"]))


def _fill(url: str, dump: Path, knows_timeout: bool) -> None:
    """Restore a dump into an empty database, whole or not at all.

    Our programs begin by setting what only Postgres 17 and later know. An older server refuses that one word; there it
    is the only error that may be, and as the database stands aside until all of it is right, no transaction is needed.
    """
    arguments, environment = _programs_connection(url)
    whole = ["--exit-on-error", "--single-transaction"] if knows_timeout else []
    try:
        Binaries.for_clients().run(
            "pg_restore",
            [*arguments, *whole, str(dump)],
            as_account=False,
            environment=environment,
            timeout_s=_PROGRAM_TIMEOUT_S,
        )
    except Problem as problem:
        if knows_timeout or not (_UNKNOWN in problem.detail and _ALL_OF_THEM.search(problem.detail)):
            raise


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
