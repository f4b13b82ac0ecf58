"""The instance's secret: the key of every signature, pseudonym and password that Cupola makes for itself.

It is made once and must never change by accident: with another one every contributor would be a stranger and every
link false. So it is written whole or not at all, it is never made anew beside data that an earlier one made, and
`platform.pg.seal` holds it against the database at every start.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from cupola.kernel import ids
from cupola.kernel.errors import Kind, Problem, invalid

FILE = "secret"
MIN_CHARS = 32
# what an instance leaves in its folder; beside any of it a missing secret was lost, not never made
_TRACES = ("postgres", "blobs", "postgres.log")


def read(folder: Path) -> bytes:
    """32 bytes from CUPOLA_SECRET or, without it, from the folder's file, which is made for a new instance.

    Raises Problem: "secret-too-short", "secret-torn" (the file is empty or cut off), "secret-lost" (the folder holds
    an instance, the file is gone), "secret-unreadable".
    """
    given = os.environ.get("CUPOLA_SECRET")
    if given:
        if len(given) < MIN_CHARS:
            raise invalid(
                "secret-too-short", f"CUPOLA_SECRET needs at least {MIN_CHARS} characters.", place="CUPOLA_SECRET"
            )
        return hashlib.sha256(given.encode()).digest()
    path = folder / FILE
    if not path.exists():
        if any((folder / name).exists() for name in _TRACES):
            raise Problem(
                Kind.CONFLICT,
                "secret-lost",
                f"{folder} holds an instance, but its file {FILE!r} is gone.",
                remedy=f"Put {path} back from a backup, or set CUPOLA_SECRET if the instance was made with it. A new "
                "one would make every contributor a stranger, so none is made.",
                place=str(path),
            )
        _make(path)
    try:
        text = path.read_bytes()
    except OSError as error:
        raise Problem(
            Kind.CONFLICT,
            "secret-unreadable",
            f"{path} cannot be read: {error.strerror}.",
            remedy="Run Cupola as the account that made the instance.",
            place=str(path),
        ) from error
    if len(text.strip()) < MIN_CHARS:
        raise Problem(
            Kind.CONFLICT,
            "secret-torn",
            f"{path} holds {len(text)} bytes; a whole secret has at least {MIN_CHARS}.",
            remedy="Put it back from a backup. If nothing was ever done with this instance, delete its folder and "
            "start again.",
            place=str(path),
        )
    return hashlib.sha256(text).digest()


def _make(path: Path) -> None:
    """Write a new secret beside its place, to the disk, and link it in: it is there whole or not at all, and of two
    processes that start together one wins and both read the winner's."""
    fresh = path.with_name(f"{FILE}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(ids.token(32))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last: a rename or link is on the disk only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
