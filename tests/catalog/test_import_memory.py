"""A file on its way in is never held whole, wherever it comes from. Not timed."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from PIL import Image

from cupola.catalog.single import service as single
from cupola.kernel import ids
from cupola.orders.files import service as files
from cupola.platform.net import Fetcher, Guard
from cupola.platform.runtime import Runtime
from tests.catalog.conftest import House
from tests.perf.test_export_memory import forget_peak, peak_mb

FILE_MB = 256
GROWTH_MB = 48
pytestmark = pytest.mark.slow


@pytest.fixture
def large(house: House) -> Path:
    """A picture of many bytes and few pixels: what follows its end is part of the file and of no picture."""
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("needs Linux's /proc")
    path = house.settings.import_roots[0] / "large.jpg"
    Image.new("L", (64, 64), 7).save(path, "JPEG")
    with path.open("ab") as file:
        file.truncate(FILE_MB * 1024 * 1024)
    return path


@pytest.fixture
def site(large: Path) -> Iterator[str]:
    handler = partial(SimpleHTTPRequestHandler, directory=str(large.parent))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def bucket(large: Path) -> Iterator[dict[str, Any]]:
    # In a process of its own: what the store holds is not what we hold.
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        keys = {"access_key_id": "a", "secret_access_key": "b", "endpoint": f"http://127.0.0.1:{port}"}
        client = boto3.client(
            "s3",
            endpoint_url=keys["endpoint"],
            aws_access_key_id="a",
            aws_secret_access_key="b",
            region_name="us-east-1",
            config=Config(retries={"max_attempts": 20, "mode": "standard"}),
        )
        client.create_bucket(Bucket="photos")
        client.upload_file(str(large), "photos", "large.jpg")
        yield {"type": "s3", "url": "s3://photos", **keys}
    finally:
        server.kill()
        server.wait()


def grown(house: House, source: dict[str, Any]) -> float:
    """MB that the process grew by while it imported."""
    small = house.settings.import_roots[0] / "small"
    small.mkdir(exist_ok=True)
    Image.new("L", (8, 8)).save(small / "a.png")
    house.load({"type": "folder", "path": str(small)})  # what is loaded once is no part of the growth
    forget_peak()
    before = peak_mb()
    done = house.load(source)
    assert (done.accepted, done.refused) == (1, 0), house.refusals(done.id)
    assert done.bytes == FILE_MB * 1024 * 1024
    return peak_mb() - before


def test_a_large_file_of_a_folder_is_streamed(house: House, large: Path) -> None:
    alone = large.parent / "alone"
    alone.mkdir()
    large.rename(alone / "large.jpg")
    assert grown(house, {"type": "folder", "path": str(alone)}) <= GROWTH_MB


def test_a_large_upload_is_streamed(house: House, large: Path) -> None:
    assert grown(house, house.put(large)) <= GROWTH_MB


def test_a_large_member_of_an_archive_is_streamed_alone_and_as_a_part(
    house: House,
    large: Path,
    tmp_path: Path,
) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(large, "large.jpg")
    assert grown(house, house.put(tmp_path / "a.zip")) <= GROWTH_MB
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.write(large, "large.jpg")
        archive.writestr("manifest.jsonl", '{"ref": "x", "parts": [{"path": "large.jpg", "role": "front"}]}\n')
    assert grown(house, house.put(tmp_path / "b.zip")) <= GROWTH_MB


def test_a_large_file_behind_an_address_is_streamed(house: House, site: str) -> None:
    assert grown(house.allowing("127.0.0.1"), {"type": "urls", "urls": [f"{site}/large.jpg"]}) <= GROWTH_MB


def test_the_attachment_of_an_order_is_streamed(house: House, site: str) -> None:
    async def take(run: Runtime) -> float:
        async with Fetcher(Guard.of(("127.0.0.1",))) as fetcher:
            forget_peak()
            before = await asyncio.to_thread(peak_mb)
            async with files.content(run, house.tenant, fetcher, f"{site}/large.jpg") as (content, name):
                row = await single.prepare(run, house.tenant, str(ids.uuid7()), content=content, name=name)
            assert row.size_bytes == FILE_MB * 1024 * 1024
            return peak_mb() - before

    assert house.run(take) <= GROWTH_MB


def test_a_large_object_of_a_bucket_is_streamed(house: House, bucket: dict[str, Any]) -> None:
    allowed = house.allowing("127.0.0.1", "localhost", "0.0.0.0")
    assert grown(allowed, bucket) <= GROWTH_MB
