"""Two file locks by which the processes that share one embedded database agree, without a daemon.

`users`: every process that uses the server holds it shared; the kernel lets go of it when a process dies, however
it dies. `change`: held alone while the server is being started or stopped.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cupola.kernel import clock
from cupola.kernel.errors import Kind, Problem

CHANGE_FILE = ".postgres.change.lock"
USERS_FILE = ".postgres.users.lock"
_POLL_S = 0.05


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


@contextmanager
def changing(folder: Path, timeout_s: float) -> Iterator[None]:
    """Hold the right to start or stop the server. Raises Problem if another process keeps it past `timeout_s`."""
    handle = _opened(folder / CHANGE_FILE)
    try:
        give_up_s = clock.monotonic_s() + timeout_s
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if clock.monotonic_s() > give_up_s:
                    raise Problem(
                        Kind.UNAVAILABLE,
                        "database-busy",
                        f"For {timeout_s:.0f} s another process has been starting or stopping {folder}'s database.",
                        remedy="Wait for it, or end it, then try again; cupola doctor names it.",
                    ) from None
                time.sleep(_POLL_S)
            except OSError as error:  # some network file systems
                raise Problem(
                    Kind.UNAVAILABLE,
                    "database-folder-without-locks",
                    f"The file system of {folder} has no file locks: {error.strerror}.",
                    remedy="Choose a data folder on a local disk with --data.",
                ) from error
        yield
    finally:
        os.close(handle)


class Use:
    """One share in the server. Take it and give it up only while `changing`."""

    def __init__(self, folder: Path) -> None:
        self._handle = _opened(folder / USERS_FILE)
        fcntl.flock(self._handle, fcntl.LOCK_SH)

    def last(self) -> bool:
        """Whether nobody else uses the server. Afterwards this share is held again, alone or shared."""
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # A failed conversion may have dropped the shared lock: flock(2) converts by unlocking first.
            fcntl.flock(self._handle, fcntl.LOCK_SH)
            return False
        return True

    def end(self) -> None:
        os.close(self._handle)


def in_use(folder: Path, timeout_s: float = 2.0) -> bool:
    """Whether some process holds a share at this moment (for `doctor`; it may change at once).

    It asks while `changing`, lest its probe be taken for a user; where that cannot be had, the server is in use.
    """
    if not (folder / USERS_FILE).exists():
        return False
    try:
        with changing(folder, timeout_s):
            use = Use(folder)
            try:
                return not use.last()
            finally:
                use.end()
    except Problem:
        return True
