"""What `postmaster.pid` claims, and whether it is true.

After a crash the file stays behind, and the process number in it may since have been given to a stranger.
Postgres believes any living process; we look at what that process is.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

_NOBODYS_PID = 2_147_483_647  # above any pid_max of Linux (4,194,304)


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A living postmaster of this data folder."""

    pid: int

    def alive(self, data: Path) -> bool:
        return _is_postmaster_of(self.pid, data)

    def signal(self, data: Path, number: signal.Signals) -> None:
        """Send a signal to this postmaster and to nobody else: its number cannot be recycled under a pidfd."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        try:
            if _is_postmaster_of(self.pid, data):
                signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            return
        finally:
            os.close(handle)


def claimed_pid(data: Path) -> int | None:
    """The process number in `postmaster.pid`, true or not; None where there is no such file or it is torn."""
    try:
        first = (data / "postmaster.pid").read_text(errors="replace").split("\n", 1)[0]
        pid = int(first)
    except (FileNotFoundError, ValueError):
        return None
    return pid if pid > 0 else None


def living(data: Path) -> Postmaster | None:
    """The living postmaster of this data folder, or None where the file is absent, stale or names a stranger."""
    pid = claimed_pid(data)
    if pid is not None and _is_postmaster_of(pid, data):
        return Postmaster(pid)
    return None


def disown_stranger(data: Path) -> bool:
    """Make a stale `postmaster.pid` name nobody, if it names a living stranger. True where it did.

    Only the number changes: the other lines hold the shared memory key by which Postgres itself makes sure that
    no orphaned backend of the crashed server still writes to the data, which removing the file would prevent.
    """
    pid = claimed_pid(data)
    if pid is None or _is_postmaster_of(pid, data) or not Path(f"/proc/{pid}").exists():
        return False
    path = data / "postmaster.pid"
    lines = path.read_text(errors="replace").split("\n")
    lines[0] = str(_NOBODYS_PID)
    with path.open("r+") as file:  # in place: its owner and mode stay
        file.write("\n".join(lines))
        file.truncate()
    return True


def _is_postmaster_of(pid: int, data: Path) -> bool:
    """Judged by /proc/PID/cmdline, which every account may read: `postgres -D <data>`, and not a zombie."""
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
    except OSError:
        return False
    return (
        state not in (b"Z", b"X")
        and Path(os.fsdecode(arguments[0])).name == "postgres"
        and os.fsencode(data) in arguments[1:]
    )
