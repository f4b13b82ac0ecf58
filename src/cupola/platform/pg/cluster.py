"""The embedded Postgres: started by the first process that needs it, shared, stopped by the last.

There is no daemon and no table of servers. The kernel's file locks count the processes that use a data folder, so a
process that is killed counts no more; what a crash leaves behind is recognised and mended by the next start.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from cupola.kernel import clock, ids
from cupola.kernel.errors import Kind, Problem
from cupola.platform.pg import conf, locks, pidfile, places, store
from cupola.platform.pg.binaries import Binaries
from cupola.platform.pg.places import Places

START_TIMEOUT_S = 600.0  # crash recovery replays at most max_wal_size, which a slow disk may take minutes over
STOP_TIMEOUT_S = 60.0
CHANGE_TIMEOUT_S = START_TIMEOUT_S + STOP_TIMEOUT_S
# A crashed server's children hold its shared memory until they notice, about 3 s; refusals till then are no failure.
_RETRY_PAUSES_S = (0.5, 1.0, 2.0, 2.0, 3.0, 5.0, 8.0, 8.0)
_PASSING_TROUBLE = ("pre-existing shared memory block", "lock file", "could not create shared memory segment")
_MAX_LOG_BYTES = 16 * 1024 * 1024
_POLL_S = 0.03
SUPERUSER = "postgres"

_started_here: list[subprocess.Popen[bytes]] = []  # kept so that a server that ended is reaped and is no zombie


@dataclass(frozen=True, slots=True)
class State:
    """What can be seen of an embedded database from outside, without starting it."""

    places: Places
    exists: bool
    running: bool
    in_use: bool
    pid: int | None
    stale_pid: int | None  # postmaster.pid names it, and it is dead or a stranger


class Cluster:
    """A share in the running embedded database of one data folder.

    `with Cluster.open(folder) as c: connect(c.url)`. Any number of processes, and of shares in one process, may hold
    one at a time. When the last is closed the server stops.
    """

    def __init__(self, found: Places, binaries: Binaries, use: locks.Use) -> None:
        self._places = found
        self._binaries = binaries
        self._use: locks.Use | None = use
        self._pid = os.getpid()
        atexit.register(self.close)

    @classmethod
    def open(cls, data_dir: Path) -> Cluster:
        """Take a share in the database under `data_dir`, making and starting it where need be.

        Raises Problem, with the cause in Postgres's own words, when it cannot be made, reached or started.
        """
        root = _root(data_dir)
        with locks.changing(root, CHANGE_TIMEOUT_S):
            found = places.make(root)
            binaries = Binaries.for_account(found.account)
            if not (found.data / "PG_VERSION").exists():
                _initialise(found, binaries)
            use = locks.Use(root)
            try:
                if not binaries.ready(found.socket_folder, conf.PORT):
                    _start(found, binaries)
            except BaseException:
                use.end()
                raise
            return cls(found, binaries, use)

    @classmethod
    def attach(cls, data_dir: Path) -> Cluster:
        """Take a share in a database that is running already. Raises Problem where it is not."""
        root = data_dir.resolve()
        if root.is_dir():
            with locks.changing(root, CHANGE_TIMEOUT_S):
                found = places.find(root)
                binaries = Binaries.for_account(found.account)
                if binaries.ready(found.socket_folder, conf.PORT):
                    return cls(found, binaries, locks.Use(root))
        raise Problem(
            Kind.UNAVAILABLE,
            "database-not-running",
            f"No database runs over {data_dir}.",
            remedy="Start it with: cupola up",
        )

    @staticmethod
    def inspect(data_dir: Path) -> State:
        """Look at the database of a data folder; nothing is made, started or stopped."""
        root = data_dir.resolve()
        found = places.find(root)
        master = pidfile.living(found.data)
        claimed = pidfile.claimed_pid(found.data)
        return State(
            places=found,
            exists=(found.data / "PG_VERSION").exists(),
            running=Binaries.for_account(found.account).ready(found.socket_folder, conf.PORT),
            in_use=locks.in_use(root),
            pid=master.pid if master else None,
            stale_pid=claimed if master is None else None,
        )

    @staticmethod
    def stop(data_dir: Path, *, force: bool = False) -> bool:
        """Stop a server that no living process uses (its users were killed). True where one was stopped.

        force: stop it even under its users, who will lose their connections. Raises Problem when used and not forced.
        """
        root = data_dir.resolve()
        if not root.is_dir():
            return False
        with locks.changing(root, CHANGE_TIMEOUT_S):
            use = locks.Use(root)
            try:
                if not use.last() and not force:
                    raise Problem(
                        Kind.CONFLICT,
                        "database-in-use",
                        f"Other processes use the database in {root}.",
                        remedy="Stop them first.",
                    )
                return _stop(places.find(root))
            finally:
                use.end()

    @staticmethod
    def destroy(data_dir: Path) -> None:
        """Stop the server and delete the database for good (tests, scratch demos). Blobs and the folder stay.

        Raises Problem while another process uses it.
        """
        root = data_dir.resolve()
        if not root.is_dir():
            return
        Cluster.stop(root)
        with locks.changing(root, CHANGE_TIMEOUT_S):
            places.remove(places.find(root))

    @property
    def url(self) -> str:
        """A connection URI for the superuser, by the socket. For migrations only: the server has lesser roles."""
        return self.url_for(SUPERUSER)

    @property
    def notice(self) -> str:
        """What a person should know about where the database lies; mostly empty."""
        return self._places.notice

    @property
    def home(self) -> Path:
        """The folder that holds the cluster."""
        return self._places.home

    @property
    def binaries(self) -> Binaries:
        """The programs of this server's version (pg_dump and the others)."""
        return self._binaries

    def url_for(self, role: str, database: str = store.DATABASE) -> str:
        """A connection URI for a role of this server; roles need no password, for only we can reach the socket."""
        folder = quote(str(self._places.socket_folder), safe="")
        return f"postgresql://{quote(role, safe='')}@/{quote(database, safe='')}?host={folder}&port={conf.PORT}"

    def create_database(self, name: str, *, template: str = "template1") -> str:
        """Make a database (as a copy of `template`, which nobody may be connected to) and return its superuser URI."""
        self._binaries.run("createdb", [*self._connection(), "-T", template, name], as_account=False)
        return self.url_for(SUPERUSER, name)

    def drop_database(self, name: str) -> None:
        """Drop a database if it is there, under its users if need be."""
        self._binaries.run("dropdb", [*self._connection(), "--force", "--if-exists", name], as_account=False)

    def _connection(self) -> list[str]:
        return ["-h", str(self._places.socket_folder), "-p", str(conf.PORT), "-U", SUPERUSER]

    def ensure_running(self) -> bool:
        """Start the server again if it crashed under us. True where it had to be."""
        self._check_open()
        with locks.changing(self._places.root, CHANGE_TIMEOUT_S):
            if self._binaries.ready(self._places.socket_folder, conf.PORT):
                return False
            _start(self._places, self._binaries)
            return True

    def _check_open(self) -> None:
        if self._use is None:
            raise RuntimeError("this share in the database is closed")

    def close(self) -> None:
        """Give up this share; the last one out stops the server. Harmless when repeated or in a forked child."""
        if self._use is None or self._pid != os.getpid():
            return
        use, self._use = self._use, None
        atexit.unregister(self.close)
        if not self._places.root.is_dir():  # deleted under us: nobody can lock it any more
            use.end()
            _stop(self._places)
            return
        with locks.changing(self._places.root, CHANGE_TIMEOUT_S):
            try:
                if use.last():
                    _stop(self._places)
            finally:
                use.end()

    def __enter__(self) -> Cluster:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _root(data_dir: Path) -> Path:
    """The data folder, made if absent so that the account that runs Postgres may pass but not read it."""
    root = data_dir.resolve()
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            root.mkdir()
            root.chmod(0o711)  # whatever the umask: we have just made it
    except OSError as error:
        raise Problem(
            Kind.UNAVAILABLE,
            "data-folder-not-writable",
            f"The data folder {root} cannot be made: {error.strerror}.",
            remedy="Choose another with --data, or mend the permissions above it.",
        ) from error
    if not os.access(root, os.W_OK | os.X_OK):
        raise Problem(
            Kind.UNAVAILABLE,
            "data-folder-not-writable",
            f"The data folder {root} may not be written to.",
            remedy="Choose another with --data, or mend its permissions.",
        )
    return root


def _initialise(found: Places, binaries: Binaries) -> None:
    """Make the cluster beside its place and move it there when it is whole, so that no half of one is ever seen."""
    for leftover in found.home.glob("new.*"):
        shutil.rmtree(leftover, ignore_errors=True)
    new = found.home / f"new.{ids.token(6)}"
    binaries.run(
        "initdb",
        [
            *("-D", str(new), "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *("--data-checksums", "--sync-method=syncfs", "--no-instructions"),
        ],
    )
    _write(new / "pg_hba.conf", conf.access_file())
    _write(new / conf.FILE, conf.our_file(found.socket_folder), found)
    _write(new / "postgresql.conf", conf.main_file())
    binaries.run(
        "postgres", ["--single", "-j", "-D", str(new), "-c", "log_min_messages=error", "postgres"],
        stdin=store.CREATE_DATABASE,
    )  # fmt: skip
    os.replace(new, found.data)
    _sync_folder(found.home)


def _write(path: Path, text: str, found: Places | None = None) -> None:
    """Write a file of the cluster; its owner stays, or becomes the cluster's account where it is new."""
    with path.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if found is not None:
        found.account.own(path)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _reap() -> None:
    _started_here[:] = [child for child in _started_here if child.poll() is None]


def _start(found: Places, binaries: Binaries) -> None:
    """Start the server and wait until it takes connections, trying again over what a crash leaves for a while.

    Call only while holding the lock of changes.
    """
    _reap()
    give_up_s = clock.monotonic_s() + START_TIMEOUT_S
    master = pidfile.living(found.data)
    if master is not None:  # it is starting, stopping or stuck: not answering, but alive
        if _wait_ready(found, binaries, master, give_up_s):
            return
        _stop(found)
    _write(found.data / conf.FILE, conf.our_file(found.socket_folder), found)
    said = ""
    for pause_s in _RETRY_PAUSES_S:
        pidfile.disown_stranger(found.data)
        # Only our server listens here and it does not run: its socket and the socket's lock are leftovers.
        found.socket.unlink(missing_ok=True)
        found.socket.with_name(found.socket.name + ".lock").unlink(missing_ok=True)
        if found.log.exists() and found.log.stat().st_size > _MAX_LOG_BYTES:
            os.replace(found.log, found.log.with_suffix(".log.1"))
        handle = os.open(found.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "ab") as log:
            begin = log.tell()
            child = binaries.spawn("postgres", ["-D", str(found.data)], log=log, cwd="/")
        _started_here.append(child)
        while child.poll() is None:
            if binaries.ready(found.socket_folder, conf.PORT):
                return
            if clock.monotonic_s() > give_up_s:
                child.send_signal(signal.SIGQUIT)
                child.wait()
                raise _not_started(found, f"it was not ready after {START_TIMEOUT_S:.0f} s: {_tail(found.log, begin)}")
            time.sleep(_POLL_S)
        said = _tail(found.log, begin)
        if not any(words in said for words in _PASSING_TROUBLE):
            break
        time.sleep(pause_s)
    raise _not_started(found, said)


def _wait_ready(found: Places, binaries: Binaries, master: pidfile.Postmaster, give_up_s: float) -> bool:
    while master.alive(found.data) and clock.monotonic_s() < give_up_s:
        if binaries.ready(found.socket_folder, conf.PORT):
            return True
        time.sleep(_POLL_S)
        _reap()
    return False


def _tail(log: Path, begin: int) -> str:
    with log.open("rb") as file:
        file.seek(max(begin, log.stat().st_size - 2_000))
        return file.read().decode(errors="replace").strip()


def _not_started(found: Places, said: str) -> Problem:
    return Problem(
        Kind.UNAVAILABLE,
        "database-not-started",
        f"Postgres did not start over {found.data}: {said or 'it said nothing'}",
        remedy=f"Its log is {found.log}. The usual causes are a full disk, too little memory, changed permissions.",
    )


def _stop(found: Places) -> bool:
    """Stop the server: by a fast shutdown; past STOP_TIMEOUT_S by an immediate one, from which it recovers."""
    master = pidfile.living(found.data)
    if master is None:
        _reap()
        return False
    for number, timeout_s in ((signal.SIGINT, STOP_TIMEOUT_S), (signal.SIGQUIT, 15.0), (signal.SIGKILL, 5.0)):
        master.signal(found.data, number)
        give_up_s = clock.monotonic_s() + timeout_s
        while clock.monotonic_s() < give_up_s:
            _reap()
            if not master.alive(found.data):
                return True
            time.sleep(_POLL_S)
    raise Problem(
        Kind.UNAVAILABLE,
        "database-not-stopped",
        f"Postgres (process {master.pid}) over {found.data} did not stop.",
        remedy="Its disk may hang; look at the machine's log, then try again.",
    )
