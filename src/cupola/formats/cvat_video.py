"""CVAT's XML 1.1 of a video: a track for each thing, with its shape in every frame that it is seen in.

Read as `cvat`, which tells the two apart by their elements. An item here is one frame.
"""

from __future__ import annotations

from collections.abc import Iterator

from cupola.formats.cvat import Asked, shape_xml, text, words
from cupola.formats.form import File, Form, Out, Target, in_words
from cupola.formats.model import Item, Reading
from cupola.formats.report import Report
from cupola.formats.spill import Spill
from cupola.formats.tree import Files
from cupola.kernel.errors import invalid


class CvatVideo(Form):
    name = "cvat-video"
    title = "CVAT video"
    about = in_words("CVAT's XML 1.1 of a video: a track for each thing", "CVAT 视频 XML 1.1：每个目标一条轨迹")
    holds = frozenset({
        "box", "rotated", "polygon", "polyline", "point", "skeleton", "seen", "ellipse", "mask", "cuboid", "attributes",
        "source", "tracks",
    })  # fmt: skip

    def sniff(self, files: Files) -> tuple[float, str] | None:
        return None  # `cvat` reads it

    def read(self, files: Files, report: Report) -> Reading:
        raise invalid("format-write-only", "CVAT's videos are read as CVAT's pictures.", remedy="Use --from cvat.")

    def writer(self, target: Target) -> _Writer:
        return _Writer(target)


class _Writer:
    def __init__(self, target: Target) -> None:
        self._target = target
        self._tracks = Spill()
        self._asked = Asked()
        self._frames = 0
        self._loose = 0
        self._size = (0, 0)

    def add(self, item: Item) -> Iterator[Out]:
        told = item.metadata.get("frame", self._frames)
        frame = told if isinstance(told, int) else self._frames
        self._frames = max(self._frames, frame + 1)
        self._size = (item.width_px or self._size[0], item.height_px or self._size[1])
        for saying in item.sayings:
            for thing in saying.things:
                self._asked.add(thing)
                known = self._target.classes.named(thing.cls)
                if not thing.track:
                    self._loose += 1
                key = f"{thing.track or f'loose {self._loose}'}\t{thing.cls}"
                xml = shape_xml(thing, known, f' frame="{frame}" outside="0" keyframe="1"', None)
                gone = shape_xml(thing, known, f' frame="{frame + 1}" outside="1" keyframe="1"', None)
                self._tracks.add(key, [frame, xml, gone])
        yield from ()

    def end(self) -> Iterator[Out]:
        yield File("annotations.xml", self._document())

    def _document(self) -> Iterator[bytes]:
        width, height = self._size
        yield (
            '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n<meta><task>'
            f"<name>{words(self._target.title)}</name><size>{self._frames}</size><mode>interpolation</mode>\n<labels>\n"
            f"{self._asked.labels(self._target.classes)}</labels>"
            f"<original_size><width>{width}</width><height>{height}</height></original_size></task></meta>\n"
        ).encode()
        with self._tracks as tracks:
            for number, key in enumerate(tracks.keys):
                cls = key.split("\t", 1)[1]
                yield f'<track id="{number}" label={text(cls)} source="manual">\n'.encode()
                last: tuple[int, str] | None = None
                for frame, xml, gone in sorted(tracks.of(key), key=lambda row: row[0]):
                    if last is not None and frame > last[0] + 1:
                        yield last[1].encode()  # a gap: it is outside until it comes back
                    yield xml.encode()
                    last = (frame, gone)
                if last is not None and last[0] + 1 < self._frames:
                    yield last[1].encode()
                yield b"</track>\n"
        yield b"</annotations>\n"


cvat_video = CvatVideo()
