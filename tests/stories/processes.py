"""A foundry of real processes (`cupola serve`, `cupola worker`, the embedded database) that a test may kill."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg

from cupola.app.stage import Scene
from cupola.platform import secret
from cupola.platform.pg import conf, pidfile
from cupola.platform.pg.cluster import Cluster

START_S = 120.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(holds: Callable[[], object], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds:g} s in vain for {what}")


class House:
    """One instance as processes. The test holds a share of the database too, so that it outlives the others."""

    def __init__(self, folder: Path, settings: dict[str, str], environment: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = {**os.environ, "CUPOLA_HOST": "127.0.0.1", **(environment or {})}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._settings = settings
        self.data.mkdir(parents=True)
        secret.read(self.data)  # as the first start does: a database without its secret is taken for one that lost it
        self.cluster = Cluster.open(self.data)
        if settings:
            self._tune()

    def _tune(self) -> None:
        home = self._pgdata()
        lines = "".join(f"{name} = {value}\n" for name, value in self._settings.items())
        (home / conf.LOCAL_FILE).write_text(lines)
        os.chmod(home / conf.LOCAL_FILE, 0o644)
        self.cluster.close()
        Cluster.stop(self.data, force=True)
        self.cluster = Cluster.open(self.data)
        with psycopg.connect(self.cluster.url) as conn:
            for name, value in self._settings.items():
                (found,) = conn.execute("SELECT current_setting(%s)", (name,)).fetchone() or ("",)
                assert found == value, (name, found, value)

    def _pgdata(self) -> Path:
        with psycopg.connect(self.cluster.url) as conn:
            (found,) = conn.execute("SHOW data_directory").fetchone() or ("",)
        return Path(found)

    # ------------------------------------------------------------ the server and the worker
    def start(self, name: str) -> None:
        command = [sys.executable, "-m", "cupola", name, "--data", str(self.data)]
        if name == "serve":
            command += ["--port", str(self.port)]
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self._environment, cwd=self.folder
            )

    def kill(self, name: str) -> None:
        """SIGKILL: to a process of ours, or to the postmaster and every child of it."""
        if name != "postgres":
            self._running[name].kill()
            self._running[name].wait()
            return
        master = pidfile.living(self._pgdata_known)
        assert master is not None, "there is no postmaster to kill"
        children = Path(f"/proc/{master.pid}/task/{master.pid}/children").read_text().split()
        for pid in (master.pid, *map(int, children)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def restart(self, name: str) -> None:
        if name == "postgres":
            assert self.cluster.ensure_running()
        else:
            self.start(name)

    def healthy(self) -> bool:
        try:
            answer = httpx.get(f"{self.url}/api/health", timeout=5)
        except httpx.TransportError:
            return False
        return answer.status_code == 200 and answer.json()["database"] == "ok"

    def await_health(self) -> None:
        for name, process in self._running.items():
            assert process.poll() is None, self.log(name)
        wait_until(self.healthy, START_S, f"the server; it said: {self.log('serve')}")

    def log(self, name: str) -> str:
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace")[-3_000:] if path.exists() else ""

    def open(self) -> Scene:
        """Start everything; returns the scene with its operator signed in."""
        self._pgdata_known = self._pgdata()
        self.start("serve")
        pattern = re.compile(r"first-admin\?token=(\S+)")
        wait_until(
            lambda: pattern.search(self.log("serve")) or self._running["serve"].poll() is not None, START_S, "the link"
        )
        found = pattern.search(self.log("serve"))
        assert found is not None, self.log("serve")
        self.await_health()
        self.start("worker")
        return Scene(self.url, found.group(1))

    def sql(self, text: str, *params: object) -> list[tuple]:
        """As the superuser."""
        with psycopg.connect(self.cluster.url, options="-c search_path=cupola") as conn:
            return conn.execute(text, params).fetchall()

    def close(self) -> None:
        for process in self._running.values():
            if process.poll() is None:
                process.terminate()
        for process in self._running.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.cluster.close()


@contextlib.contextmanager
def house(settings: dict[str, str] | None = None, environment: dict[str, str] | None = None) -> Iterator[House]:
    """An instance in a scratch folder, in memory where the machine has such a place; gone at the end."""
    parent = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="cupola-", dir=parent))
    folder.chmod(0o755)
    opened = House(folder, settings or {}, environment)
    try:
        yield opened
    finally:
        opened.close()
        Cluster.stop(opened.data, force=True)
        Cluster.destroy(opened.data)
        shutil.rmtree(folder, ignore_errors=True)
