"""Tracks as exports: CVAT's XML of a video, MOT Challenge, and COCO frame by frame.

Frames are numbered as everywhere here, from 0 in the order in which they are shown, and so as FFmpeg counts them
(`ffmpeg -i clip.mp4 -fps_mode passthrough %06d.jpg` numbers them from 1); MOT counts from 1. `cupola frames` writes the
pictures under the names that the COCO file has.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass

from cupola.catalog.video.names import frame_name
from cupola.formats.cvat import shape_xml, text, words
from cupola.formats.fitting import Fitter, around
from cupola.formats.form import File, Target, plain_number
from cupola.formats.labels import classes_from, neutral
from cupola.formats.model import Class, Classes, Item, Saying, Thing
from cupola.formats.report import Report
from cupola.formats.table import FORMS
from cupola.labels import Course, Ontology, TracksLabel, decode_label, horizon_of, tracked_in
from cupola.labels.ontology import AttributeSpec
from cupola.releases.exporters.annotations import DROPPED
from cupola.releases.exporters.archive import ZipStream
from cupola.releases.exporters.base import About, Format, Row, Rows
from cupola.releases.exporters.beside import Beside
from cupola.releases.exporters.naming import stem

Write = Callable[[Rows, About], AsyncIterator[bytes]]
_TYPES = {"choice": "select", "multi": "text", "text": "text", "number": "number", "bool": "checkbox"}
# What of a track each of the formats holds, as words of `formats.fitting`.
_CVAT = frozenset({"box", "rotated", "polygon", "polyline", "point", "skeleton", "seen", "ellipse", "attributes",
                   "source", "tracks"})  # fmt: skip
_MOT = frozenset({"box", "tracks"})


@dataclass(frozen=True, slots=True)
class Video:
    """A released row with the tracks of its label, in the order of their first keys."""

    row: Row
    label: TracksLabel
    courses: list[Course]
    frames: int

    @property
    def size(self) -> tuple[int, int] | None:
        return (self.row.width_px, self.row.height_px) if self.row.width_px and self.row.height_px else None


def _video(row: Row, report: Report) -> Video | None:
    label = tracked_in(decode_label(row.label))
    if label is None:
        report.drop("kind-other", row.ref)
        return None
    courses = sorted((Course(track) for track in label.tracks), key=lambda one: one.frames[0])
    return Video(row, label, courses, horizon_of(label))


def _frame(video: Video, frame: int, classes: Classes, fitter: Fitter, *, more: bool = False) -> Item:
    """One frame with what is seen in it, as the format holds it. more: the track's number and whether something stands
    before it stand among the attributes, as CVAT has them in COCO."""
    row = video.row
    things = []
    for number, course in enumerate(video.courses):
        seen = course.at(frame)
        if seen is None:
            continue
        track = course.track
        shape = neutral(seen.shape, classes.named(track.cls), video.size)
        if shape is None:
            fitter.report.drop("no-size", f"{row.ref}: {track.id}")
            continue
        told = dict(seen.attributes)
        if more:
            told |= {"track_id": number, "occluded": seen.occluded, "keyframe": seen.key}
        things.append(
            Thing(track.cls, shape, told, str(number), track.source, track=track.id, place=f"{row.ref}: {track.id}")
        )  # fmt: skip
    name = f"{stem(row.ref)}/{frame_name(frame)}"
    return fitter.item(
        Item(name, width_px=row.width_px, height_px=row.height_px, sayings=(Saying(things=tuple(things)),),
             metadata={"frame": frame}, place=f"{row.ref} (frame {frame})")
    )  # fmt: skip


def _of(written: Callable[[Video, About, Classes, Fitter], Iterator[File]], holds: frozenset[str]) -> Write:
    """The bytes of an archive with a folder for each video. written: its files."""

    async def write(rows: Rows, about: About) -> AsyncIterator[bytes]:
        classes = classes_from(about.ontology)
        fitter = Fitter(holds, about.report)
        with contextlib.closing(ZipStream()) as archive, Beside() as beside:
            async for batch in rows:
                for row in batch:
                    video = _video(row, about.report)
                    if video is None:
                        continue
                    for file in written(video, about, classes, fitter):
                        beside.file(row, file.name)
                        async for part in archive.entry(file.name, _later(file.parts)):
                            yield part
                    about.report.drop("events", row.ref, len(video.label.events))
            async for part in _rest(archive, beside, about):
                yield part

    return write


async def _rest(archive: ZipStream, beside: Beside, about: About) -> AsyncIterator[bytes]:
    if about.licence:
        yield archive.small("LICENCE.txt", about.licence.encode())
    yield archive.small(DROPPED, json.dumps(about.report.plain(), ensure_ascii=False, indent=1).encode())
    async for part in beside.entries(archive):
        yield part
    for part in archive.end():
        yield part


async def _later(parts: Iterable[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


# ---------------------------------------------------------------- CVAT
def _cvat(video: Video, about: About, classes: Classes, fitter: Fitter) -> Iterator[File]:
    yield File(f"{stem(video.row.ref)}/annotations.xml", _cvat_document(video, about, classes, fitter))


def _cvat_document(video: Video, about: About, classes: Classes, fitter: Fitter) -> Iterator[bytes]:
    """A track after the other: its shape in each frame in which it is seen, with those of its keys marked as such, and
    a key that says so where it is gone."""
    width, height = video.size or (0, 0)
    yield (
        '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n<meta><task>'
        f"<name>{words(video.row.ref)}</name><size>{video.frames}</size><mode>interpolation</mode>\n<labels>\n"
        f"{''.join(_cvat_label(one, about.ontology) for one in classes)}</labels>"
        f"<original_size><width>{width}</width><height>{height}</height></original_size></task></meta>\n"
    ).encode()
    for number, course in enumerate(video.courses):
        track = course.track
        known = classes.named(track.cls)
        source = "auto" if track.source == "model" else "manual"
        yield f'<track id="{number}" label={text(track.cls)} source="{source}">\n'.encode()
        for start, end in course.spans(video.frames):
            for frame in range(start, end):
                yield _cvat_shape(video, course, known, fitter, frame, outside=False)
            if end < video.frames:
                yield _cvat_shape(video, course, known, fitter, end, outside=True)
        yield b"</track>\n"
    yield b"</annotations>\n"


def _cvat_shape(video: Video, course: Course, known: Class, fitter: Fitter, frame: int, *, outside: bool) -> bytes:
    seen = course.at(frame)
    shape = neutral(course.shape_at(frame), known, video.size)
    if shape is None:
        fitter.report.drop("no-size", f"{video.row.ref}: {course.track.id}")
        return b""
    told = {**course.said_at(frame), "occluded": bool(seen and seen.occluded)}
    thing = Thing(course.track.cls, shape, told, track=course.track.id, place=f"{video.row.ref}: {course.track.id}")
    item = Item(video.row.ref, width_px=video.row.width_px, height_px=video.row.height_px,
                sayings=(Saying(things=(thing,)),))  # fmt: skip
    key = outside or (seen is not None and seen.key)
    extra = f' frame="{frame}" outside="{int(outside)}" keyframe="{int(key)}"'
    fitted = fitter.item(item).sayings[0].things
    return "".join(shape_xml(one, known, extra, None) for one in fitted[:1]).encode()


def _cvat_label(one: Class, ontology: Ontology) -> str:
    specs = ontology.attributes_of.get(one.name, {})
    attributes = "".join(_cvat_attribute(spec) for spec in specs.values())
    return (
        f"<label><name>{words(one.name)}</name><color>{one.colour or '#33ddff'}</color><type>any</type>"
        f"<attributes>{attributes}</attributes></label>\n"
    )


def _cvat_attribute(spec: AttributeSpec) -> str:
    values = "\n".join(spec.options) if _TYPES.get(spec.type) == "select" else ""
    return (
        f"<attribute><name>{words(spec.name)}</name><mutable>{spec.mutable}</mutable>"
        f"<input_type>{_TYPES.get(spec.type, 'text')}</input_type><default_value></default_value>"
        f"<values>{words(values)}</values></attribute>"
    )


# ---------------------------------------------------------------- MOT
def _mot(video: Video, about: About, classes: Classes, fitter: Fitter) -> Iterator[File]:
    """gt/gt.txt: frame and track from 1, box, 1, class from 1, and how much of it is seen: 1, or .5 where something
    stands before it; gt/labels.txt: the names of the classes; seqinfo.ini, without a frame rate: a label
    knows frames, not seconds."""
    folder = stem(video.row.ref)
    number = {one.name: n for n, one in enumerate(classes, 1)}
    yield File(f"{folder}/gt/gt.txt", _mot_lines(video, classes, fitter, number))
    yield File(f"{folder}/gt/labels.txt", ["".join(f"{one.name}\n" for one in classes).encode()])
    width, height = video.size or (0, 0)
    told = (
        f"[Sequence]\nname={folder}\nimDir=img1\nseqLength={video.frames}\n"
        f"imWidth={width}\nimHeight={height}\nimExt=.jpg\n"
    )
    yield File(f"{folder}/seqinfo.ini", [told.encode()])


def _mot_lines(video: Video, classes: Classes, fitter: Fitter, number: dict[str, int]) -> Iterator[bytes]:
    for frame in range(video.frames):
        item = _frame(video, frame, classes, fitter, more=False)
        for thing in item.sayings[0].things:
            box = around(thing.shape)
            course = video.courses[int(thing.id)]
            seen = course.at(frame)
            part = 0.5 if seen is not None and seen.occluded else 1
            edges = ",".join(str(plain_number(edge)) for edge in (box.x, box.y, box.w, box.h))
            yield f"{frame + 1},{int(thing.id) + 1},{edges},1,{number[thing.cls]},{part}\n".encode()


# ---------------------------------------------------------------- COCO
async def _coco(rows: Rows, about: About) -> AsyncIterator[bytes]:
    """One file for all videos: each frame is a picture, and each object says which track it is of."""
    form = FORMS["coco"]
    classes = classes_from(about.ontology)
    fitter = Fitter(form.holds, about.report)
    quiet = Report()  # that it is a track stands among its attributes
    writer = form.writer(Target(classes, about.report, about.name, about.licence))
    with contextlib.closing(ZipStream()) as archive, Beside() as beside:
        async for batch in rows:
            for row in batch:
                video = _video(row, about.report)
                if video is None:
                    continue
                for frame in range(video.frames):
                    item = _frame(video, frame, classes, Fitter(form.holds | {"tracks"}, quiet), more=True)
                    for _ in writer.add(fitter.item(_without_tracks(item))):
                        pass
                beside.file(row, stem(row.ref))
                about.report.drop("events", row.ref, len(video.label.events))
        for out in writer.end():
            if isinstance(out, File):
                async for part in archive.entry(out.name, _later(out.parts)):
                    yield part
        async for part in _rest(archive, beside, about):
            yield part


def _without_tracks(item: Item) -> Item:
    sayings = tuple(
        Saying(things=tuple(Thing(t.cls, t.shape, t.attributes, t.id, t.source, place=t.place) for t in one.things))
        for one in item.sayings
    )
    return Item(item.name, width_px=item.width_px, height_px=item.height_px, sayings=sayings, place=item.place)


def _format(title: str, en: str, zh: str, write: Write, shapes: tuple[str, ...]) -> Format:
    return Format(
        title=title,
        about={"en": en, "zh": zh},
        extension="zip",
        media_type="application/zip",
        write=write,
        holds=frozenset({"tracks"}),
        only_shapes=shapes,
    )


_AREAS = ("box", "polygon", "ellipse", "mask")
cvat_video = _format(
    "CVAT video",
    "CVAT's XML 1.1 of each video: tracks with their keyframes",
    "CVAT 视频 XML 1.1：每条轨迹及其关键帧",
    _of(_cvat, _CVAT),
    (*_AREAS, "polyline", "point", "skeleton"),
)
mot = _format(
    "MOT Challenge",
    "A line for each box in each frame, a folder for each video",
    "MOT Challenge：每帧每框一行，每段视频一个文件夹",
    _of(_mot, _MOT),
    _AREAS,
)
coco_video = _format(
    "COCO, frame by frame",
    "Each frame as a picture of COCO, each object with its track",
    "COCO 逐帧：每帧视为一张图片，每个对象注明其轨迹",
    _coco,
    (*_AREAS, "skeleton", "point"),
)
