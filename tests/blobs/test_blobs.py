from __future__ import annotations

import asyncio
import hashlib
import os
import resource
import socket
import urllib.request
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.server import ThreadedMotoServer

from cupola.kernel import clock, ids
from cupola.kernel.errors import Kind, Problem
from cupola.platform.blobs import Blobs, parse_range

TENANT, OTHER = ids.uuid7(), ids.uuid7()
SECRET = b"not so secret"


@pytest.fixture(scope="module")
def bucket() -> Iterator[dict[str, Any]]:
    server = ThreadedMotoServer(port=0)
    server.start()
    _, port = server.get_host_and_port()
    endpoint = f"http://127.0.0.1:{port}"
    keys = {"endpoint": endpoint, "region": "us-east-1", "access_key_id": "a", "secret_access_key": "b"}
    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    client.create_bucket(Bucket="cupola")
    yield keys
    server.stop()


@pytest.fixture(params=["local", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    if request.param == "local":
        return Blobs.open(tmp_path / "blobs", secret=SECRET)
    keys = request.getfixturevalue("bucket")
    return Blobs.open(f"s3://cupola/{ids.token(6)}", secret=SECRET, **keys)


async def chunks(data: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


def test_what_is_put_is_got_by_its_hash_and_a_second_put_changes_nothing(blobs: Blobs) -> None:
    async def run() -> None:
        stored = await blobs.put(TENANT, b"hello")
        assert (stored.sha256, stored.size_bytes, stored.fresh) == (hashlib.sha256(b"hello").hexdigest(), 5, True)
        assert (await blobs.put(TENANT, b"hello")).fresh is False
        assert await blobs.get(TENANT, stored.sha256) == b"hello"
        assert blobs.get_now(TENANT, stored.sha256) == b"hello"
        assert blobs.put_now(TENANT, b"hello").fresh is False
        head = await blobs.head(TENANT, stored.sha256)
        assert head is not None
        assert head.size_bytes == 5

    asyncio.run(run())


def test_ranges_are_served(blobs: Blobs) -> None:
    async def run() -> None:
        key = (await blobs.put(TENANT, b"0123456789")).sha256
        assert await blobs.get(TENANT, key, 2, 5) == b"234"
        assert await blobs.get(TENANT, key, 7) == b"789"
        assert await blobs.get(TENANT, key, 3, 3) == b""

    asyncio.run(run())


def test_a_stream_is_hashed_on_the_way_and_may_be_sent_again(blobs: Blobs) -> None:
    data = os.urandom(3_000_000)

    async def run() -> None:
        first = await blobs.put_stream(TENANT, chunks(data, 65_536))
        again = await blobs.put_stream(TENANT, chunks(data, 100_000))
        assert first.sha256 == again.sha256 == hashlib.sha256(data).hexdigest()
        assert (first.fresh, again.fresh, first.size_bytes) == (True, False, len(data))
        assert await blobs.get(TENANT, first.sha256) == data
        with blobs.local_file(TENANT, first.sha256) as path:
            assert path.read_bytes() == data

    asyncio.run(run())


def test_tenants_do_not_see_each_other_and_listing_shows_only_whole_blobs(blobs: Blobs) -> None:
    async def run() -> None:
        a = await blobs.put(TENANT, b"mine")
        b = await blobs.put_stream(TENANT, chunks(b"streamed"))
        await blobs.put(OTHER, b"theirs")
        assert {found.sha256 async for found in blobs.list(TENANT)} == {a.sha256, b.sha256}
        assert await blobs.head(OTHER, a.sha256) is None
        with pytest.raises(Problem) as caught:
            await blobs.get(OTHER, a.sha256)
        assert caught.value.kind is Kind.NOT_FOUND

    asyncio.run(run())


def test_a_deleted_blob_is_gone_and_deleting_twice_is_no_error(blobs: Blobs) -> None:
    async def run() -> None:
        key = (await blobs.put(TENANT, b"x")).sha256
        await blobs.delete(TENANT, key)
        await blobs.delete(TENANT, key)
        assert await blobs.head(TENANT, key) is None

    asyncio.run(run())


@pytest.mark.parametrize("name", ["../../etc/passwd", "A" * 64, "", "a" * 63, "a" * 64 + "\n", "%2e%2e/x"])
def test_only_hashes_are_names(blobs: Blobs, name: str) -> None:
    with pytest.raises(Problem) as caught:
        asyncio.run(blobs.get(TENANT, name))
    assert caught.value.kind is Kind.NOT_FOUND


def test_a_stream_that_breaks_or_grows_too_large_leaves_nothing(tmp_path: Path) -> None:
    blobs = Blobs.open(tmp_path, secret=SECRET)

    async def broken() -> AsyncIterator[bytes]:
        yield b"abc"
        raise ConnectionResetError("gone")

    with pytest.raises(Problem):
        asyncio.run(blobs.put_stream(TENANT, broken()))
    with pytest.raises(Problem) as caught:
        asyncio.run(blobs.put_stream(TENANT, chunks(b"x" * 5000), max_bytes=4000))
    assert caught.value.kind is Kind.TOO_LARGE
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_a_long_stream_is_stored_at_constant_memory(tmp_path: Path) -> None:
    blobs = Blobs.open(tmp_path, secret=SECRET)

    async def long() -> AsyncIterator[bytes]:
        for n in range(300):
            yield bytes([n % 251]) * 1_000_000

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    stored = asyncio.run(blobs.put_stream(TENANT, long()))
    assert stored.size_bytes == 300_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000  # kB


def test_a_local_link_works_until_it_expires_and_only_as_it_was_signed(tmp_path: Path) -> None:
    blobs = Blobs.open(tmp_path, secret=SECRET)
    key = hashlib.sha256(b"x").hexdigest()
    link = blobs.sign_local(TENANT, key, expires_s=60, bound_to="person 1", media_type="image/png")
    assert link.startswith(f"/blobs/{TENANT}/{key}?")
    grant = blobs.verify(link, bound_to="person 1")
    assert (grant.tenant, grant.sha256, grant.media_type) == (TENANT, key, "image/png")
    false_links = [
        link.replace(str(TENANT), str(OTHER)),
        link.replace(key, hashlib.sha256(b"y").hexdigest()),
        link.replace("t=image%2Fpng", "t=text%2Fhtml"),
        link.replace("e=", "e=9"),
        link[:-1] + ("0" if link[-1] != "0" else "1"),
        link.split("&s=")[0],
        link.replace("s=", "s=é"),
    ]
    for false in false_links:
        assert false != link
        with pytest.raises(Problem) as caught:
            blobs.verify(false, bound_to="person 1")
        assert caught.value.kind is Kind.FORBIDDEN
    for other in (Blobs.open(tmp_path, secret=b"another"), blobs):
        with pytest.raises(Problem):
            other.verify(link, bound_to="person 2" if other is blobs else "person 1")
    with pytest.raises(Problem):
        blobs.verify(f"/elsewhere/{TENANT}/{key}")
    clock.advance(timedelta(seconds=67))
    try:
        with pytest.raises(Problem):
            blobs.verify(link, bound_to="person 1")
    finally:
        clock.advance(timedelta(seconds=-67))


def test_the_same_link_is_given_again_for_a_while_so_that_caches_hold(tmp_path: Path) -> None:
    blobs = Blobs.open(tmp_path, secret=SECRET)
    key = hashlib.sha256(b"x").hexdigest()
    links = {blobs.sign_local(TENANT, key, expires_s=36_000) for _ in range(50)}
    assert len(links) <= 2  # two only when a step falls between


def test_a_bucket_signs_its_own_links(bucket: dict[str, Any]) -> None:
    blobs = Blobs.open(f"s3://cupola/{ids.token(6)}", secret=SECRET, **bucket)

    async def run() -> str:
        return await blobs.sign(TENANT, (await blobs.put(TENANT, b"over there")).sha256, expires_s=60, direct=True)

    with urllib.request.urlopen(asyncio.run(run()), timeout=10) as answer:
        assert answer.read() == b"over there"


def test_an_unreachable_bucket_is_unavailable_and_says_so() -> None:
    with socket.socket() as idle:
        idle.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{idle.getsockname()[1]}"
    blobs = Blobs.open(
        "s3://nobody", secret=SECRET, endpoint=endpoint, region="x", access_key_id="a", secret_access_key="b"
    )
    with pytest.raises(Problem) as caught:
        asyncio.run(blobs.put(TENANT, b"x"))
    assert caught.value.kind is Kind.UNAVAILABLE
    assert "Try again" in caught.value.remedy


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(Problem) as caught:
        Blobs.open(tmp_path / "file", secret=SECRET)
    assert str(tmp_path / "file") in caught.value.detail
    with pytest.raises(Problem):
        Blobs.open("ftp://x", secret=SECRET)


def test_ranges_are_read_as_the_rfc_says() -> None:
    assert parse_range(None, 10) is None
    assert parse_range("bytes=0-", 10) == (0, 10)
    assert parse_range("bytes=2-4", 10) == (2, 5)
    assert parse_range("bytes=5-99", 10) == (5, 10)
    assert parse_range("bytes=-3", 10) == (7, 10)
    assert parse_range("bytes=-30", 10) == (0, 10)
    assert parse_range("bytes=4-2", 10) is None
    assert parse_range("bytes=0-1,3-4", 10) is None
    assert parse_range("lines=0-1", 10) is None
    for header in ("bytes=10-", "bytes=-0"):
        with pytest.raises(Problem) as caught:
            parse_range(header, 10)
        assert caught.value.code == "range-unsatisfiable"


@given(st.text(max_size=40), st.integers(0, 100))
def test_any_range_header_gives_a_range_within_the_blob(tail: str, size: int) -> None:
    try:
        found = parse_range("bytes=" + tail, size)
    except Problem:
        return
    assert found is None or 0 <= found[0] < found[1] <= size


def test_what_was_stored_is_put_on_the_disk_before_it_is_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    really = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        really(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    store = Blobs.open(tmp_path / "blobs", secret=b"s" * 32)
    tenant = ids.uuid7()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"streamed"

    put = asyncio.run(store.put(tenant, b"whole"))
    streamed = asyncio.run(store.put_stream(tenant, pieces()))
    folder = tmp_path / "blobs" / str(tenant)
    assert synced == [str(folder / put.sha256), str(folder), str(folder / streamed.sha256), str(folder)]
    store.put_now(tenant, b"one of many")
    store.settle_now()
