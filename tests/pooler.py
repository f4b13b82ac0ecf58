"""pgbouncer between the tests and their database, working by transaction: each statement may meet another connection.

With CUPOLA_TEST_POOLER every foundry speaks through one (see `tools/through_a_pooler.sh`); `test_pooler` always does.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from psycopg import conninfo

from cupola.platform.pg.migrate import LOGIN

PROGRAM = shutil.which("pgbouncer") or ("/usr/sbin/pgbouncer" if Path("/usr/sbin/pgbouncer").exists() else None)
PORT = 6432
# fewer connections than the server holds, so that they change hands all the time
SETTINGS = """
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr =
listen_port = {own_port}
unix_socket_dir = {folder}
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 1000
logfile = {folder}/log
"""


@dataclass(frozen=True)
class Pooler:
    """A running pgbouncer. It stands before one server, whatever its databases."""

    folder: Path

    def through(self, url: str) -> str:
        """The way to the same database through it."""
        return conninfo.make_conninfo(url, host=str(self.folder), port=PORT)


@contextlib.contextmanager
def pooler(url: str, connections: int = 3) -> Iterator[Pooler]:
    """A pgbouncer before the server of `url`."""
    assert PROGRAM is not None
    folder = Path(tempfile.mkdtemp(prefix="cupola-pool-"))
    folder.chmod(0o755)
    there = conninfo.conninfo_to_dict(url)
    # who may pass the folder of the server's socket; pgbouncer, too, refuses to be root
    owner = pwd.getpwuid(Path(str(there["host"])).stat().st_uid).pw_name
    (folder / "users").write_text(f'"{LOGIN}" ""\n')
    settings = SETTINGS.format(
        host=there["host"], port=there.get("port", 5432), own_port=PORT, folder=folder, connections=connections
    )
    (folder / "settings").write_text(settings)
    command = [PROGRAM, str(folder / "settings")]
    if os.getuid() == 0:
        shutil.chown(folder, owner)
        command[1:1] = ["-u", owner]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        found = Pooler(folder)
        _wait(folder / f".s.PGSQL.{PORT}", child)
        yield found
    finally:
        child.terminate()
        child.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(place: Path, child: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            with socket.socket(socket.AF_UNIX) as door:
                door.connect(str(place))
            return
        except OSError:
            if time.monotonic() > end or child.poll() is not None:
                raise
            time.sleep(0.05)
