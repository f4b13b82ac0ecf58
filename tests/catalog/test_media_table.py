"""Media are a table: every row has every part, and a further one is an object and a line."""

from __future__ import annotations

import json
import typing
import zipfile
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from cupola.catalog import media
from cupola.catalog.media.base import HEAD_BYTES, Medium, Needs
from cupola.catalog.showing import Show
from cupola.labels.facts import from_json
from cupola.platform import hooks
from cupola.platform.runtime import Runtime
from tests.catalog.conftest import House
from tests.catalog.flat_medium import FLAT
from tests.catalog.test_importers import png

TABLE = [*media.media(), FLAT]
SAMPLES = {
    "image": (png(), "a.png"),
    "text": (b"words", "a.txt"),
    "video": (b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2", "a.mp4"),
    "a-flat": (b"FLAT1234", "a.flat"),
}


@pytest.mark.parametrize("medium", TABLE, ids=lambda medium: medium.name)
def test_a_medium_has_every_part(medium: Medium) -> None:
    assert medium.types
    assert set(medium.shown) <= set(medium.types)
    assert set(medium.endings.values()) <= set(medium.types)
    assert all(ending == ending.lower() and ending.startswith(".") for ending in medium.endings)
    assert medium.needs in typing.get_args(Needs)
    assert medium.max_bytes > 0
    # what needs no <img>, player or words of its own is the only thing that nobody need be shown
    assert medium.shown or medium.needs in ("words", "nothing")
    data, name = SAMPLES[medium.name]
    found = medium.sniff(data[:HEAD_BYTES], name, "")
    assert found in medium.types
    assert medium.endings["." + name.rpartition(".")[2]] == found
    assert medium.sniff(b"\x00\x01\x02 nothing that anybody knows", "a.bin", "") is None


def test_no_two_media_claim_the_same_type_ending_or_beginning() -> None:
    for medium in TABLE:
        others = [other for other in TABLE if other is not medium]
        assert not {one for other in others for one in other.types} & set(medium.types)
        assert not {one for other in others for one in other.endings} & set(medium.endings)
        data, _ = SAMPLES[medium.name]
        assert [other.name for other in others if other.sniff(data, "a.bin", "")] == []


@pytest.fixture
def one_more(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The medium of these tests, registered as a package would: by a line of its entry points."""
    known = hooks._registered(hooks.MEDIA)
    line = EntryPoint("a-flat", "tests.catalog.flat_medium:FLAT", hooks.MEDIA)
    registered = hooks._registered
    monkeypatch.setattr(
        hooks, "_registered", lambda group: {**known, "a-flat": line} if group == hooks.MEDIA else registered(group)
    )
    media.media.cache_clear()
    hooks.shown.cache_clear()
    yield
    media.media.cache_clear()
    hooks.shown.cache_clear()


@pytest.mark.usefixtures("one_more")
def test_a_medium_that_is_registered_is_imported_measured_promised_and_shown(house: House, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("talk.flat", b"FLAT" + b"x" * 20)
        archive.writestr("silent.flat", b"FLAT")
        parts = [{"path": "talk.flat", "role": "speech"}, {"text": "what was said"}]
        lines = [{"ref": "talk", "path": "talk.flat"}, {"ref": "silent", "path": "silent.flat"},
                 {"ref": "both", "parts": parts}]  # fmt: skip
        archive.writestr("manifest.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    done = house.load(house.put(tmp_path / "a.zip"))
    assert (done.accepted, done.refused) == (2, 1)
    assert [one.reason for one in house.refusals(done.id)] == ["sound-empty"]
    items = {item.ref: item for item in house.items()}
    talk = items["talk"]
    assert (talk.media_type, from_json(talk.facts).duration_s) == ("audio/x-flat", 5.0)
    assert json.loads(items["both"].parts or "")[0]["facts"] == {"media": "audio/x-flat", "duration_s": 5.0}
    assert media.promised("https://example.org/b.flat") == "audio/x-flat"
    assert media.most_bytes() == max(one.max_bytes for one in TABLE)
    assert "audio/x-flat" in hooks.shown()

    async def url(run: Runtime) -> str | None:
        assert talk.asset is not None
        return Show(run, house.tenant, "me", 60).address(talk.asset.hex(), None, talk.media_type)

    assert "audio%2Fx-flat" in (house.run(url) or "")


def test_what_a_page_may_render_is_what_the_media_say() -> None:
    said = {media_type for medium in media.media() for media_type in medium.shown}
    assert hooks.shown() == said
    assert "image/tiff" not in said
