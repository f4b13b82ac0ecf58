"""Where the parts of an embedded database lie, and why one of them may have to lie elsewhere.

`<data>/postgres` holds the cluster (`18/`) and its socket (`run/`). Two things can forbid that: the account that
runs Postgres cannot pass a folder above it (then the cluster lies under /var/lib/cupola, and a file in the data
folder says so), or the socket's path would be too long for the kernel (then only the socket lies elsewhere).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cupola.kernel import ids
from cupola.kernel.errors import Kind, Problem
from cupola.platform.pg import account, binaries, conf
from cupola.platform.pg.account import Account

MAX_SOCKET_PATH_BYTES = 100  # the kernel's limit is 107
_MOVED_FILE = "postgres-is-elsewhere.txt"


@dataclass(frozen=True, slots=True)
class Places:
    """The folders of one embedded database. `notice` is for a person, empty when all lies where expected."""

    root: Path  # the data folder the caller named: locks and the log lie here
    home: Path  # ours, mode 0700, of the account that runs Postgres
    socket_folder: Path
    account: Account
    notice: str

    @property
    def data(self) -> Path:
        return self.home / str(binaries.MAJOR)

    @property
    def log(self) -> Path:
        return self.root / "postgres.log"

    @property
    def socket(self) -> Path:
        return self.socket_folder / f".s.PGSQL.{conf.PORT}"


def _moved_home(root: Path) -> Path | None:
    try:
        lines = (root / _MOVED_FILE).read_text().splitlines()
    except FileNotFoundError:
        return None
    return Path(lines[0]) if lines else None


def find(root: Path) -> Places:
    """Where the parts of the database of this data folder lie or would lie; nothing is made.

    root: absolute, symlinks resolved.
    """
    moved = _moved_home(root)
    home = moved or root / "postgres"
    who = account.choose(home)
    return Places(root, home, _socket_folder(home, who), who, _notice(root, moved, who))


def make(root: Path) -> Places:
    """Like `find`, and make the folders that are ours. Call only while holding the lock of changes.

    Raises Problem where a folder cannot be made or reached.
    """
    places = find(root)
    blocked = places.account.blocked_at(places.home.parent)
    if blocked is not None:
        if places.home != root / "postgres" or places.home.exists() or not places.account.switches:
            raise Problem(
                Kind.UNAVAILABLE,
                "database-folder-unreachable",
                f"Postgres runs as {places.account.name}, who cannot pass {blocked} to the database in {places.home}.",
                remedy=f"chmod o+x {blocked}, or move the data folder, or run as the user who owns it.",
            )
        _move_out(root, places.account, blocked)
        places = find(root)
    _own_folder(places.home, places.account)
    binaries.passable_folder(places.socket_folder.parent)
    _own_folder(places.socket_folder, places.account)
    _refuse_other_major(places)
    return places


def _notice(root: Path, moved: Path | None, who: Account) -> str:
    if moved is None:
        return ""
    return f"The database of {root} lies in {moved}: {who.name}, who runs Postgres, cannot pass the folders above."


def _move_out(root: Path, who: Account, blocked: Path) -> None:
    """Found a home under /var/lib/cupola, named at random so that a data folder made anew starts anew."""
    home = binaries.DURABLE_BASE / "databases" / ids.token(9)
    try:
        binaries.passable_folder(home.parent)
        _own_folder(home, who)
        (home.parent / f"{home.name}.txt").write_text(f"{root}\n")
    except OSError as error:
        raise Problem(
            Kind.UNAVAILABLE,
            "database-folder-unreachable",
            f"Postgres runs as {who.name}, who cannot pass {blocked}; making {home} instead failed: {error}.",
            remedy="Choose a data folder that every user can pass, for instance --data /srv/cupola.",
        ) from error
    (root / _MOVED_FILE).write_text(
        f"{home}\n\nThe database of this folder lies there, since {who.name}, who runs Postgres, cannot pass\n"
        f"{blocked}. Both folders belong together; cupola backup takes both into one file.\n"
    )


def _socket_folder(home: Path, who: Account) -> Path:
    inside = home / "run"
    path = str(inside / f".s.PGSQL.{conf.PORT}")
    # libpq reads a comma in a host as a list of hosts
    if len(os.fsencode(path)) <= MAX_SOCKET_PATH_BYTES and not set(path) & set(',"'):
        return inside
    base = Path("/run/cupola")
    if not who.switches or not os.access(base.parent, os.W_OK):
        base = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
        if len(os.fsencode(str(base))) > 60 or who.blocked_at(base) is not None:
            base = Path("/tmp")  # noqa: S108 - its sticky bit and our check of the owner keep strangers out
    return base / f"cupola-{hashlib.sha256(os.fsencode(home)).hexdigest()[:16]}"


def _own_folder(folder: Path, who: Account) -> None:
    """Make a folder of ours, mode 0700, or check that the one there is just that."""
    try:
        folder.mkdir(mode=0o700)
        who.own(folder)
    except FileExistsError:
        pass
    except OSError as error:
        raise Problem(
            Kind.UNAVAILABLE,
            "data-folder-not-writable",
            f"{folder} cannot be made: {error.strerror}.",
            remedy="Choose a data folder that you may write to with --data.",
        ) from error
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        wrong = "it is not a folder"
    elif found.st_uid != who.uid and who.switches and found.st_uid == 0 and not any(folder.iterdir()):
        who.own(folder)  # we died between making it and giving it away
        return
    elif found.st_uid != who.uid:
        wrong = f"it belongs to user number {found.st_uid} and not to {who.name}"
    elif found.st_mode & 0o077:
        wrong = f"its mode {stat.S_IMODE(found.st_mode):04o} lets others in"
    else:
        return
    raise Problem(
        Kind.UNAVAILABLE,
        "database-folder-unsafe",
        f"{folder} cannot hold the database: {wrong}.",
        remedy="Move it away, or mend its owner and mode (0700), then try again.",
    )


def _refuse_other_major(places: Places) -> None:
    if places.data.exists():
        return
    others = sorted(entry.name for entry in places.home.iterdir() if entry.name.isdigit())
    if others:
        raise Problem(
            Kind.CONFLICT,
            "database-of-another-version",
            f"{places.home} holds a database of Postgres {others[-1]}; these programs are of {binaries.MAJOR}.",
            remedy="With the old version of Cupola: cupola backup FILE. With this one, on a new folder: "
            "cupola restore FILE.",
        )


def remove(places: Places) -> None:
    """Delete the database and what belongs to it; the server must not run. The data folder itself stays."""
    shutil.rmtree(places.home, ignore_errors=True)
    shutil.rmtree(places.socket_folder, ignore_errors=True)
    if places.home.parent == binaries.DURABLE_BASE / "databases":
        (places.home.parent / f"{places.home.name}.txt").unlink(missing_ok=True)
    (places.root / _MOVED_FILE).unlink(missing_ok=True)
    places.log.unlink(missing_ok=True)
