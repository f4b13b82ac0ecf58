"""A disk that is full, a bucket that is away or hangs, a database with nothing left: each is told as what it is."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from cupola.kernel import ids
from cupola.kernel.errors import Problem
from cupola.platform import blobs as blobs_module
from cupola.platform.blobs import Blobs
from cupola.platform.pg.cluster import Cluster
from cupola.platform.pg.tx import Database, Role, trouble
from tests.foundry import Foundry

TENANT = ids.uuid7()


@contextlib.contextmanager
def small_disk(kilobytes: int) -> Iterator[Path]:
    """A file system of its own with so much room; where none can be mounted the test says so."""
    folder = Path(tempfile.mkdtemp(prefix="cupola-disk-"))
    folder.chmod(0o755)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        folder.rmdir()
        pytest.skip("this account may not mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)
        folder.rmdir()


@pytest.fixture
def hanging() -> Iterator[str]:
    """The address of a store that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept: list[socket.socket] = []

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    kept.append(server.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        for one in kept:
            one.close()


def bucket(endpoint: str) -> Blobs:
    return Blobs.open(
        "s3://bucket/prefix", secret=b"s" * 32, endpoint=endpoint, access_key_id="a", secret_access_key="b",
        region="us-east-1",
    )  # fmt: skip


def code(work: object) -> str:
    with pytest.raises(Problem) as told:
        asyncio.run(work)  # type: ignore[arg-type]
    return told.value.code


def test_a_full_disk_of_files_is_told_as_that_and_keeps_nothing_half() -> None:
    with small_disk(1_000) as disk:
        store = Blobs.open(disk / "blobs", secret=b"s" * 32)
        assert code(store.put(TENANT, os.urandom(2_000_000))) == "disk-full"

        async def stream() -> None:
            async def pieces():
                for _ in range(40):
                    yield os.urandom(50_000)

            await store.put_stream(TENANT, pieces())

        assert code(stream()) == "disk-full"
        assert code(store.check()) == "disk-full"
        small = asyncio.run(store.put(TENANT, b"small"))  # what was half written is gone: there is room
        assert asyncio.run(store.get(TENANT, small.sha256)) == b"small"


@pytest.mark.parametrize("verb", ["put", "get", "head", "check"])
def test_a_bucket_that_hangs_is_given_up_in_time(hanging: str, verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs_module, "ANSWER_S", 0.3)
    store = bucket(hanging)
    sha256 = "0" * 64
    work = {
        "put": lambda: store.put(TENANT, b"x"),
        "get": lambda: store.get(TENANT, sha256),
        "head": lambda: store.head(TENANT, sha256),
        "check": lambda: store.check(),
    }[verb]
    assert code(work()) == "blobs-unreachable"


def test_a_bucket_that_is_away_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert code(bucket(f"http://127.0.0.1:{port}").check()) == "blobs-unreachable"


def test_health_names_the_store_that_is_wrong(foundry: Foundry, hanging: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs_module, "ANSWER_S", 0.3)
    whole = foundry.runtime.blobs
    with foundry.http() as url:
        assert httpx.get(url + "/api/health").json()["blobs"] == "ok"
        monkeypatch.setattr(whole, "_store", bucket(hanging)._store)
        monkeypatch.setattr(whole, "_root", None)
        said = httpx.get(url + "/api/health", timeout=30).json()
    assert (said["status"], said["database"], said["blobs"]) == ("degraded", "ok", "blobs-unreachable")
    assert "bucket" in said["remedy"]


def test_a_full_disk_of_the_database_is_not_told_as_a_database_that_is_away(cluster: Cluster) -> None:
    account = Cluster.inspect(Path(cluster._places.root)).places.account
    with small_disk(2_000) as disk:
        os.chown(disk, account.uid, account.gid)
        with psycopg.connect(cluster.url, autocommit=True) as conn:
            conn.execute(f"CREATE TABLESPACE small LOCATION '{disk}'")  # type: ignore[arg-type]
            try:
                conn.execute("CREATE TABLE filling (x text) TABLESPACE small")
                with pytest.raises(psycopg.OperationalError) as full:
                    conn.execute("INSERT INTO filling SELECT repeat('x', 1000) FROM generate_series(1, 10000)")
            finally:
                conn.execute("DROP TABLE IF EXISTS filling")
                conn.execute("DROP TABLESPACE small")
    told = trouble(full.value)
    assert told is not None
    assert told.code == "disk-full"


def test_a_pool_without_a_free_connection_is_busy_and_one_without_a_database_says_that(
    cluster: Cluster, foundry: Foundry
) -> None:
    async def busy() -> str:
        db = Database(foundry.server_url, max_size=1)
        for pool in db._pools.values():
            pool.timeout = 0.3
        await db.open()
        try:
            async with db.tx(Role.APP):
                with pytest.raises(Problem) as told:
                    async with db.tx(Role.APP):
                        pass
            return told.value.code
        finally:
            await db.close()

    async def away() -> str:
        db = Database("postgresql://cupola_server@127.0.0.1:1/nothing", max_size=1)
        for pool in db._pools.values():
            pool.timeout = 0.3
        with pytest.raises(Problem) as told:
            await db.open()
        await db.close()
        return told.value.code

    assert asyncio.run(busy()) == "busy"
    assert asyncio.run(away()) == "database-unreachable"
