"""Frames of videos by their numbers: the table, exact pictures, and what is refused."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

pytest.importorskip("av")

from bench.video.seeks import number_in as oracle_number

from cupola.catalog import media
from cupola.catalog.media.base import Content
from cupola.catalog.video import reading
from cupola.catalog.video.chunks import CHUNK_FRAMES, Chunks, unpacked
from cupola.catalog.video.table import FrameTable, decoded, table_of
from cupola.kernel.errors import Problem
from cupola.platform.blobs import Blobs
from tests.clips import clip, number_in, steady

SHARED = Path(os.environ.get("CUPOLA_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))

ORACLES = SHARED / "video" / "oracle"
VARIABLE = [n * 40 + 33 * (n // 7) for n in range(60)]


@pytest.mark.parametrize(
    ("times", "more"),
    [
        (steady(50), {}),
        (VARIABLE, {}),
        (steady(70), {"gop": 500, "b_frames": 3}),
        ([n * 40 + 600 * (n > 20) for n in range(40)], {}),
        (steady(40), {"container": "matroska", "codec": "libvpx-vp9"}),
        (steady(1), {}),
    ],
    ids=["steady", "variable", "one key", "a gap", "vp9", "one frame"],
)
def test_every_frame_is_the_picture_of_its_number(times: list[int], more: dict[str, Any]) -> None:
    data = clip(times, **more)
    table = reading.read_table(data)
    assert table.frames == len(times)
    base = 1000 * table.time_base[0] / table.time_base[1]
    assert [round((one - table.first) * base) for one in table.times()] == times
    assert decoded(table.encoded()) == table
    dice = random.Random(1)
    for _ in range(4):
        first = dice.randrange(len(times))
        count = min(len(times) - first, 5)
        assert [number_in(one) for one in reading.pictures(data, table, first, count)] == [*range(first, first + count)]


def refusal(data: bytes, name: str = "a.mp4") -> Problem:
    with pytest.raises(Problem) as caught:
        media.probe(Content("", len(data), data), name)
    assert caught.value.remedy
    return caught.value


def test_what_is_no_video_to_label_is_refused_with_what_it_is() -> None:
    whole = clip(steady(120), gop=10)
    assert refusal(whole[: len(whole) // 2]).code == "video-unreadable"  # its index stands at its end
    webm = clip(steady(120), container="matroska", codec="libvpx-vp9", gop=10)
    assert refusal(webm[: len(webm) // 2], "a.mkv").code == "video-truncated"
    assert refusal(clip([], sound=True, pictures=False)).code == "video-no-frames"
    assert refusal(b"this is no video at all, whatever its name says" * 9).code == "video-unreadable"
    long = clip([0, 40, 10 * 3_600_000])
    assert refusal(long).code == "video-too-long"


def test_a_video_is_known_by_its_content_whatever_its_name() -> None:
    data = clip(steady(10), (64, 48))
    known = media.probe(Content("", len(data), data), "notes.txt.bin")
    assert (known.media_type, known.width_px, known.height_px, known.frames) == ("video/mp4", 64, 48, 10)
    assert known.duration_s == pytest.approx(0.4)
    assert known.frame_table == reading.read_table(data).sha256
    small = media.thumbnail(Content("", len(data), data), "video/mp4", 32)
    assert small is not None
    assert small[8:12] == b"WEBP"


def test_chunks_hold_all_frames_once_and_are_kept_within_a_limit(tmp_path: Path) -> None:
    data = clip(steady(30))
    blobs = Blobs.open(tmp_path / "blobs", secret=b"x")
    tenant = UUID(int=7)
    stored = blobs.put_now(tenant, data)
    wanted = reading.read_table(data).sha256
    chunks = Chunks(blobs, tmp_path / "frames")
    found = [
        number_in(one)
        for n in range(-(-30 // CHUNK_FRAMES))
        for one in unpacked(chunks.chunk(tenant, stored.sha256, wanted, n))
    ]
    assert found == list(range(30))
    with pytest.raises(Problem) as caught:
        chunks.chunk(tenant, stored.sha256, wanted, 99)
    assert caught.value.code == "frame-unknown"
    # kept: the original need not be there any more; made anew it comes out the same
    before = chunks.chunk(tenant, stored.sha256, wanted, 1)
    tight = Chunks(blobs, tmp_path / "frames", kept_bytes=1)
    tight.sweep()
    assert not list((tmp_path / "frames").glob("*/*/*"))
    assert tight.chunk(tenant, stored.sha256, wanted, 1) == before


def test_a_table_that_a_decoder_reads_otherwise_is_refused(tmp_path: Path) -> None:
    """As after another version of the decoder: nothing is shown under a number that meant another picture."""
    data = clip(steady(20))
    blobs = Blobs.open(tmp_path / "blobs", secret=b"x")
    stored = blobs.put_now(UUID(int=7), data)
    with pytest.raises(Problem) as caught:
        Chunks(blobs, tmp_path / "frames").chunk(UUID(int=7), stored.sha256, "0" * 64, 0)
    assert caught.value.code == "frame-table-changed"
    table = reading.read_table(data)
    shifted: FrameTable = table_of(
        [one + 1 for one in table.times()], [one + 1 for one in (table.times()[0],)], table.time_base, (320, 180), 0
    )
    with pytest.raises(Problem) as caught:
        reading.pictures(data, shifted, 3, 2)
    assert caught.value.code == "frame-table-changed"


@pytest.mark.skipif(not ORACLES.is_dir(), reason="the shared videos are not here")
def test_frames_of_real_containers_are_those_that_the_pictures_say() -> None:
    """Edit lists, B-frames, gaps, rotation: the number stands in the pixels."""
    dice = random.Random(3)
    for name, told in json.loads((ORACLES / "manifest.json").read_text()).items():
        table = reading.read_table(ORACLES / name)
        assert table.times() == told["pts"], name
        for first in [0, table.frames - 3, dice.randrange(table.frames - 3)]:
            found = [oracle_number(one, told["code"]) for one in reading.pictures(ORACLES / name, table, first, 3)]
            assert found == told["numbers"][first : first + 3], name
