"""Processes of an instance that are started, told to stop, and killed: what becomes of the database they share."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from cupola.platform.pg.cluster import Cluster

START_TIMEOUT_S = 300  # generous: a busy machine is slow, and nothing here is a benchmark


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def command(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CUPOLA_")}
    child = subprocess.Popen(
        [sys.executable, "-m", "cupola", *arguments], env=clean, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def wait_until_it_says(words: bytes, child: subprocess.Popen[bytes]) -> None:
    for line in child.stderr:
        if words in line:
            return
    raise AssertionError(f"it ended with code {child.wait()}")


def wait_until_healthy(port: int, child: subprocess.Popen[bytes]) -> dict[str, str]:
    end = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < end:
        assert child.poll() is None, f"it ended with code {child.returncode}"
        with contextlib.suppress(httpx.HTTPError):
            answer = httpx.get(f"http://127.0.0.1:{port}/api/health", timeout=5).json()
            if answer["status"] == "ok":
                return answer
        time.sleep(0.2)
    raise AssertionError("it was not healthy in time")


def test_told_to_stop_the_last_process_stops_the_database_and_ends_well(data_dir: Path) -> None:
    for told in (signal.SIGTERM, signal.SIGINT):
        port = free_port()
        with command("up", "--data", str(data_dir), "--port", str(port)) as server:
            wait_until_healthy(port, server)
            server.send_signal(told)
            code = server.wait(60)
        assert code in ((0,) if told is signal.SIGTERM else (0, 130)), told
        assert not Cluster.inspect(data_dir).running, told


def test_a_killed_server_leaves_the_database_to_the_next_which_answers_and_then_stops_it(data_dir: Path) -> None:
    port = free_port()
    with command("up", "--data", str(data_dir), "--port", str(port)) as server:
        wait_until_healthy(port, server)
        server.kill()
        server.wait()
    orphan = Cluster.inspect(data_dir)
    assert (orphan.running, orphan.in_use) == (True, False)
    with command("up", "--data", str(data_dir), "--port", str(port)) as server:
        wait_until_healthy(port, server)
        assert Cluster.inspect(data_dir).pid == orphan.pid
        server.terminate()
        server.wait(60)
    assert not Cluster.inspect(data_dir).running


def test_the_worker_keeps_the_database_when_the_server_goes_first(data_dir: Path) -> None:
    port = free_port()
    with command("up", "--data", str(data_dir), "--port", str(port)) as server:
        wait_until_healthy(port, server)
        with command("worker", "--data", str(data_dir)) as worker:
            wait_until_it_says(b"The worker runs", worker)
            server.terminate()
            server.wait(60)
            assert worker.poll() is None
            assert Cluster.inspect(data_dir).running
            worker.terminate()
            worker.wait(60)
    assert not Cluster.inspect(data_dir).running


STUCK = """
import asyncio, sys, time
from cupola.app import ending

async def main():
    steps = ending.Steps(asyncio.get_running_loop())
    for _ in range(40):  # more than there are threads
        asyncio.ensure_future(asyncio.to_thread(time.sleep, 3_600))
    quick = asyncio.ensure_future(asyncio.to_thread(lambda: "done"))
    await asyncio.sleep(0.2)
    await steps.leave(grace_s=0.5)
    print(await asyncio.to_thread(lambda: "closed in order"))

with ending.without_waiting():
    try:
        asyncio.run(main())
    finally:
        print("unwound")
    raise SystemExit(int(sys.argv[1]))
"""


def test_a_step_that_nothing_can_interrupt_holds_no_process_back() -> None:
    for code in (0, 3):
        done = subprocess.run(
            [sys.executable, "-c", STUCK, str(code)], capture_output=True, text=True, timeout=300, check=False
        )
        assert (done.returncode, done.stdout.split("\n")[:2]) == (code, ["closed in order", "unwound"]), done.stderr
