"""COCO: instances, keypoints and captions in one JSON file a split; masks as polygons or run lengths.

Lin et al. (2014). Read in one pass: what the file tells of a picture in several places is gathered on disk.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from cupola.formats import masks
from cupola.formats.coco_panoptic import segments_of
from cupola.formats.fitting import area, bounds, is_around
from cupola.formats.form import (
    File,
    Form,
    Out,
    Picture,
    Spool,
    Target,
    dumps,
    in_words,
    nothing,
    picture_name,
    split_of,
)
from cupola.formats.jsonstream import members
from cupola.formats.model import (
    Box,
    Class,
    Classes,
    Item,
    Mask,
    Points,
    Polygon,
    Reading,
    Saying,
    Shape,
    Thing,
    box_of_corners,
    corners,
    flat,
    ring_from,
    simple_polygon,
)
from cupola.formats.report import Report
from cupola.formats.spill import Spill
from cupola.formats.tree import Files, Pictures, head, number, with_ending

_lists = re.compile(rb'"(?:images|annotations|categories)"\s*:\s*\[')
_inner = re.compile(rb'"(?:file_name|image_id|supercategory|segments_info|iscrowd)"\s*:')


class Coco(Form):
    name = "coco"
    title = "COCO"
    about = in_words(
        "Objects, keypoints and masks, one JSON file a split", "对象、关键点与掩码，每个划分一个 JSON 文件"
    )
    holds = frozenset({
        "box", "rotated", "polygon", "parts", "mask", "point", "skeleton", "seen", "classes", "several-classes",
        "attributes", "score", "groups", "source",
    })  # fmt: skip

    def sniff(self, files: Files) -> tuple[float, str] | None:
        for name in _documents(files):
            return 0.9, f"{name} lists images, annotations and categories"
        return None

    def read(self, files: Files, report: Report) -> Reading:
        found = _documents(files)
        if not found:
            raise nothing(self, "no JSON file lists images and annotations")
        kept = [name for name in found if not _is_double(name, found)]
        for name in found:
            if name not in kept:
                report.drop("tag-unknown", f"{name} tells of the same pictures as another file")
        classes = Classes()
        return Reading(classes, _items(files, kept, classes, report))

    def writer(self, target: Target) -> _Writer:
        return _Writer(target)


def _documents(files: Files) -> list[str]:
    return [
        name
        for name in with_ending(files, "json")
        if len(_lists.findall(start := head(files, name))) >= 1 and _inner.search(start)
    ]


def _is_double(name: str, names: list[str]) -> bool:
    """Is it the keypoints or captions of pictures whose instances are there too?"""
    base = PurePosixPath(name).name
    for told in ("person_keypoints_", "captions_"):
        if base.startswith(told):
            twin = str(PurePosixPath(name).with_name(base.replace(told, "instances_")))
            return twin in names
    return False


def _items(files: Files, names: list[str], classes: Classes, report: Report) -> Iterator[Item]:
    pictures = Pictures(files)
    for name in names:
        yield from _document(files, name, pictures, classes, report)


def _document(files: Files, name: str, pictures: Pictures, classes: Classes, report: Report) -> Iterator[Item]:
    split = split_of(name)
    by_number: dict[int, Class] = {}
    folder = PurePosixPath(name).parent.as_posix()
    folders = [f"{folder}/" if folder != "." else "", f"images/{split}/", "images/"]
    with Spill() as images, Spill() as said:
        for key, value, line in members(files, name, report):
            if not isinstance(value, dict):
                continue
            if key == "images":
                images.add(str(value.get("id")), [value, line])
            elif key == "annotations":
                said.add(str(value.get("image_id")), [value, line])
            elif key == "categories":
                _category(value, f"{name}:{line}", by_number, classes, report)
        for image in images.keys:
            [one, line], *twice = images.of(image)
            place = f"{name}:{line}"
            if twice:
                report.drop("name-twice", f"{name}:{twice[0][1]} (image {image})", len(twice))
            file_name = str(one.get("file_name") or one.get("coco_url") or image)
            picture = pictures.find(file_name, *folders)
            annotations = [(row, f"{name}:{at}") for row, at in said.of(image)]
            width, height = _size(one, picture, pictures, place, report)
            things, whole, text = _things(
                annotations, by_number, classes, (files, name, pictures), (width, height), report
            )
            yield Item(
                file_name,
                picture,
                str(one.get("coco_url") or ""),
                None,
                width,
                height,
                (Saying(classes=whole, things=tuple(things), text=text),),
                split,
                place=place,
            )
        for image in said.left:
            lines = [line for _, line in said.of(image)]
            report.drop("image-unknown", f"{name}:{lines[0]} (image {image})", len(lines))


def _category(value: dict[str, Any], place: str, by_number: dict[int, Class], classes: Classes, report: Report) -> None:
    try:
        told = int(value["id"])
        title = str(value["name"])
    except (KeyError, TypeError, ValueError):
        report.drop("entry-malformed", place)
        return
    points = tuple(str(one) for one in value.get("keypoints") or ())
    try:
        edges = tuple((int(a) - 1, int(b) - 1) for a, b in value.get("skeleton") or ())
    except (TypeError, ValueError):
        edges = ()
    colour = value.get("color")
    shade = "#" + bytes(int(one) % 256 for one in colour[:3]).hex() if colour and _is_colour(colour) else ""
    by_number[told] = classes.add(
        Class(
            title,
            told,
            str(value.get("supercategory") or ""),
            shade,
            points,
            edges,
            value.get("isthing") == 0,
        )
    )


def _is_colour(value: Any) -> bool:
    return isinstance(value, list) and len(value) >= 3 and all(isinstance(one, int | float) for one in value[:3])


def _size(
    one: dict[str, Any], picture: str, pictures: Pictures, place: str, report: Report
) -> tuple[int | None, int | None]:
    try:
        width, height = int(one["width"]), int(one["height"])
    except (KeyError, TypeError, ValueError):
        width = height = 0
    if width > 0 and height > 0:
        return width, height
    known = pictures.size(picture) if picture else None
    return known if known is not None else (None, None)


def _things(
    annotations: list[tuple[dict[str, Any], str]],
    by_number: dict[int, Class],
    classes: Classes,
    where: tuple[Files, str, Pictures],
    size: tuple[int | None, int | None],
    report: Report,
) -> tuple[list[Thing], tuple[str, ...], str | None]:
    """Things, classes of the whole picture, and its caption."""
    things: list[Thing] = []
    whole: list[str] = []
    text: str | None = None
    for one, place in annotations:
        if isinstance(one.get("segments_info"), list):
            things += segments_of(one, by_number, where, place, report)
            continue
        if "caption" in one:
            text = str(one["caption"]) if text is None else f"{text}\n{one['caption']}"
            continue
        category = by_number.get(one.get("category_id", -1)) if isinstance(one.get("category_id"), int) else None
        if category is None:
            report.drop("class-unknown", f"{place} (category {one.get('category_id')!r})")
            continue
        if not any(one.get(part) for part in ("bbox", "segmentation", "keypoints")):
            whole.append(category.name)
            continue
        try:
            shapes = _shapes(one, size)
        except (ValueError, TypeError, KeyError) as error:
            report.drop("shape-malformed", f"{place}: {error}")
            continue
        if not shapes:
            report.drop("shape-empty", place)
        told = {**(one["attributes"] if isinstance(one.get("attributes"), dict) else {})}
        if any(isinstance(shape, Box) and shape.rotation_rad for shape in shapes):
            told.pop("rotation", None)
        if one.get("iscrowd") == 1:
            told["iscrowd"] = True
        score = one.get("score")
        for shape in shapes:
            things.append(
                Thing(
                    category.name,
                    shape,
                    told,
                    str(one.get("id", "")),
                    source=one["source"] if one.get("source") in ("model", "corrected") else "person",
                    score=float(score) if isinstance(score, int | float) else None,
                    group=str(one.get("group_id") or (one.get("id", "") if len(shapes) > 1 else "")),
                    place=place,
                )
            )
    return things, tuple(whole), text


def _shapes(one: dict[str, Any], size: tuple[int | None, int | None]) -> list[Shape]:
    """What an annotation draws: its area, and the points of its skeleton. Raises ValueError, TypeError or KeyError."""
    out: list[Shape] = []
    segmentation = one.get("segmentation")
    box = one.get("bbox")
    keypoints = one.get("keypoints") or []
    if isinstance(segmentation, dict):
        counts = segmentation["counts"]
        height, width = (int(number(side)) for side in segmentation["size"])
        runs = masks.counts_from_text(counts) if isinstance(counts, str) else tuple(int(run) for run in counts)
        mask = Mask(height, width, runs)
        masks.to_raster(mask)  # the runs are as many as the pixels
        if masks.area(mask):
            out.append(mask)
    elif segmentation:
        rings = [ring_from([number(part) for part in ring]) for ring in segmentation]
        if any(len(ring) < 3 for ring in rings):
            raise ValueError("an outline of fewer than three corners")
        turned = box_of_corners(rings[0]) if one.get("rotation_rad") and len(rings) == 1 else None
        out.append(turned or simple_polygon(*rings))
    elif box:
        x, y, w, h = (number(part) for part in box)
        told = one["attributes"].get("rotation") if isinstance(one.get("attributes"), dict) else None
        turn = number(told) * 3.141592653589793 / 180 if isinstance(told, int | float) else 0.0
        if w > 0 and h > 0:
            out.append(Box(x, y, w, h, turn))
    if keypoints:
        if len(keypoints) % 3:
            raise ValueError(f"{len(keypoints)} numbers are no triples of x, y and visibility")
        seen = tuple(min(2, max(0, int(number(v)))) for v in keypoints[2::3])
        places = tuple((number(x), number(y)) for x, y in zip(keypoints[0::3], keypoints[1::3], strict=True))
        if any(seen):
            points = Points(places, seen)
            if len(out) == 1 and isinstance(out[0], Box) and is_around(out[0], points):
                out.clear()  # readers want a box of everything
            out.append(points)
    return out


class _Writer:
    def __init__(self, target: Target) -> None:
        self._target = target
        self._splits: dict[str, tuple[Spool, Spool]] = {}
        self._images = self._annotations = 0
        self._numbers: dict[str, int] = {}

    def add(self, item: Item) -> Iterator[Out]:
        split = item.split or "train"
        images, annotations = self._splits.setdefault(split, (Spool(), Spool()))
        self._images += 1
        name = picture_name(item)
        told: dict[str, Any] = {
            "id": self._images, "file_name": name, "width": item.width_px or 0, "height": item.height_px or 0,
        }  # fmt: skip
        if item.url:
            told["coco_url"] = item.url
        images.member(told)
        for saying in item.sayings:
            for cls in saying.classes:
                self._annotations += 1
                annotations.member(
                    {"id": self._annotations, "image_id": self._images, "category_id": self._number(cls)}
                )
            for things in _together(saying.things):
                self._annotations += 1
                annotations.member(self._annotation(things, item))
        if item.picture:
            yield Picture(f"images/{split}/{name}", item)

    def _number(self, name: str) -> int:
        """The number that the class came with, where no other has it; else the next that is free."""
        found = self._numbers.get(name)
        if found is None:
            told = self._target.classes.named(name).number
            used = set(self._numbers.values())
            wanted = {one.number for one in self._target.classes}
            if told is not None and told > 0 and told not in used:
                found = told
            else:
                found = next(n for n in range(1, len(used) + len(wanted) + 2) if n not in used and n not in wanted)
            self._numbers[name] = found
        return found

    def _annotation(self, things: list[Thing], item: Item) -> dict[str, Any]:
        first = things[0]
        out: dict[str, Any] = {
            "id": self._annotations, "image_id": self._images, "category_id": self._number(first.cls),
            "iscrowd": 1 if first.attributes.get("iscrowd") is True else 0,
        }  # fmt: skip
        covers = next((one.shape for one in things if not isinstance(one.shape, Points)), None)
        points = next((one.shape for one in things if isinstance(one.shape, Points)), None)
        shape = covers if covers is not None else first.shape
        x0, y0, x1, y1 = bounds(shape)
        if covers is None and points is not None and len(points.points) == 1:
            x0, y0, x1, y1 = x0 - 0.5, y0 - 0.5, x0 + 0.5, y0 + 0.5
        out["bbox"] = [_short(n) for n in (x0, y0, x1 - x0, y1 - y0)]
        out["area"] = _short(area(shape) or (x1 - x0) * (y1 - y0))
        match covers:
            case Box() if covers.rotation_rad:
                out["segmentation"] = [[_short(n) for n in flat(corners(covers))]]
                out["rotation_rad"] = round(covers.rotation_rad, 6)
            case Polygon():
                out["segmentation"] = [[_short(n) for n in flat(part[0])] for part in covers.parts]
            case Mask():
                out["segmentation"] = {
                    "size": [covers.height, covers.width],
                    "counts": masks.counts_to_text(covers.counts),
                }
            case _:
                out["segmentation"] = []
        if points is not None:
            numbers: list[float] = []
            for (x, y), seen in zip(points.points, points.seen, strict=True):
                numbers += [_short(x), _short(y), seen] if seen else [0, 0, 0]
            out["keypoints"] = numbers
            out["num_keypoints"] = sum(seen > 0 for seen in points.seen)
            known = self._target.classes.named(first.cls)
            if len(known.points) < len(points.points):
                known.points = (
                    ("point",) if len(points.points) == 1 else tuple(f"{n + 1}" for n in range(len(points.points)))
                )
        told = {name: value for name, value in first.attributes.items() if name != "iscrowd"}
        if told:
            out["attributes"] = told
        if first.score is not None:
            out["score"] = first.score
        if first.source != "person":
            out["source"] = first.source
        if first.group and len(things) == 1:
            out["group_id"] = first.group
        return out

    def end(self) -> Iterator[Out]:
        for one in self._target.classes:
            self._number(one.name)
        has_points = any(one.points for one in self._target.classes)
        categories = []
        for one in sorted(self._target.classes, key=lambda one: self._numbers[one.name]):
            told: dict[str, Any] = {
                "id": self._numbers[one.name], "name": one.name, "supercategory": one.parent,
            }  # fmt: skip
            if has_points:
                told["keypoints"] = list(one.points)
                told["skeleton"] = [[a + 1, b + 1] for a, b in one.edges]
            categories.append(told)
        if not self._splits:
            self._splits["train"] = (Spool(), Spool())
        for split, spools in self._splits.items():
            yield File(f"annotations/instances_{split}.json", self._document(*spools, categories))

    def _document(self, images: Spool, annotations: Spool, categories: list[dict[str, Any]]) -> Iterator[bytes]:
        info = {"description": self._target.title}
        licences = [{"id": 1, "name": self._target.licence, "url": ""}] if self._target.licence else []
        yield b'{"info":' + dumps(info) + b',"licenses":' + dumps(licences) + b',"images":['
        yield from images.parts()
        yield b'],"annotations":['
        yield from annotations.parts()
        yield b'],"categories":' + dumps(categories) + b"}\n"


def _together(things: tuple[Thing, ...]) -> list[list[Thing]]:
    """A skeleton and the area of the same thing stand in one annotation."""
    out: list[list[Thing]] = []
    waiting: dict[tuple[str, str], list[Thing]] = {}
    for one in things:
        key = (one.group, one.cls)
        before = waiting.pop(key, None) if one.group else None
        if before is not None and isinstance(before[0].shape, Points) != isinstance(one.shape, Points):
            before.append(one)
            continue
        found = [one]
        out.append(found)
        if one.group:
            waiting[key] = found
    return out


def _short(value: float) -> float | int:
    found = round(float(value), 4)
    return int(found) if found == int(found) else found


coco = Coco()
