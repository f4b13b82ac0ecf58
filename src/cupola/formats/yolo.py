"""YOLO: a text file a picture, a line a thing, places as shares of the picture's width and height.

Five sets of lines share the layout: boxes (detect), outlines (segment), boxes with keypoints (pose), four corners
(obb); and folders a class without any file of labels (classify).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import yaml

from cupola.formats import class_folders as folders
from cupola.formats.fitting import bounds, clipped, clipped_box, is_around
from cupola.formats.form import File, Form, Out, Picture, Target, in_words, nothing, picture_name, split_of, stem_name
from cupola.formats.model import (
    Box,
    Class,
    Classes,
    Item,
    Points,
    Polygon,
    Reading,
    Ring,
    Saying,
    Shape,
    Thing,
    box_of_corners,
    corners,
    ring_area,
    ring_from,
    simple_polygon,
)
from cupola.formats.report import Report
from cupola.formats.tree import Files, Pictures, head, lines_of, number, text_of, whole, with_ending

LISTS = frozenset({"classes.txt", "labels.txt", "obj.names", "names.txt", "train.txt", "val.txt", "test.txt"})
OUTSIDE = 0.01  # beyond the picture by rounding
WILD = 2.0  # no share of a picture: pixels, or another format
LOOKED_AT = 200


class Yolo(Form):
    """What is read, and what is written of it: boxes. The other four are written by subclasses."""

    name = "yolo"
    title = "YOLO"
    about = in_words(
        "Pictures and a text file of boxes for each, as trainers read them",
        "图片，每张附一个框的文本文件，训练程序可直接读取",
    )
    holds = frozenset({"box"})
    needs_size = True
    task = "detect"

    def sniff(self, files: Files) -> tuple[float, str] | None:
        if self.task != "detect":
            return None  # the one reader takes all of them
        labels = _label_files(files, LOOKED_AT)
        if labels:
            told = _names_file(files)
            return (
                0.9 if told else 0.7
            ), f"{labels[0]} has lines of numbers{f', {told} names classes' if told else ''}"
        if folders.is_classified(files) and not folders.has_labels_of_others(files):
            return 0.5, "the pictures lie in folders of classes below train, val or test"
        return None

    def read(self, files: Files, report: Report) -> Reading:
        labels = _label_files(files)
        classes = Classes()
        if not labels:
            if not folders.is_classified(files):
                raise nothing(self, "no text file has lines of numbers, and no folders are classes")
            return Reading(classes, folders.classified(files, classes, report))
        names, points = _declared(files, report)
        for n, name in enumerate(names):
            classes.add(Class(name, n, points=tuple(str(k + 1) for k in range(points[0] if points else 0))))
        return Reading(classes, _items(files, labels, names, points, classes, report))

    def writer(self, target: Target) -> _Writer:
        return _Writer(target, self.task)


class YoloSegment(Yolo):
    name = "yolo-seg"
    title = "YOLO segments"
    about = in_words("Pictures and a text file of outlines for each", "图片，每张附一个轮廓的文本文件")
    holds = frozenset({"polygon"})
    task = "segment"


class YoloTurned(Yolo):
    name = "yolo-obb"
    title = "YOLO turned boxes"
    about = in_words("Pictures and a text file of turned boxes for each", "图片，每张附一个旋转框的文本文件")
    holds = frozenset({"box", "rotated"})
    task = "obb"


class YoloPose(Yolo):
    name = "yolo-pose"
    title = "YOLO pose"
    about = in_words("Pictures and a text file of skeletons for each", "图片，每张附一个骨架的文本文件")
    holds = frozenset({"point", "skeleton", "seen", "groups", "box"})
    task = "pose"


class YoloClassify(Yolo):
    name = "yolo-classify"
    title = "YOLO classes"
    about = in_words("Pictures in a folder for each class", "每个类别一个文件夹的图片")
    holds = frozenset({"classes"})
    needs_size = False
    needs_picture = True
    task = "classify"


# ---------------------------------------------------------------- reading
def _label_files(files: Files, most: int | None = None) -> list[str]:
    out = []
    for name in with_ending(files, "txt"):
        base = PurePosixPath(name).name.lower()
        if base in LISTS or base.startswith("readme") or not _is_lines(head(files, name, 2048)):
            continue
        out.append(name)
        if most is not None and len(out) >= most:
            break
    return out if any(head(files, name, 64).strip() for name in out) else []


def _is_lines(start: bytes) -> bool:
    """Does a file begin as one of labels? An empty one says that there is nothing on its picture."""
    words = start.split(b"\n", 1)[0].split()
    if not words:
        return not start.strip()
    try:
        float(words[0])
        [float(word) for word in words[1:20]]
    except ValueError:
        return False
    return len(words) >= 5


def _names_file(files: Files) -> str:
    for name in with_ending(files, "yaml", "yml"):
        if b"names" in head(files, name):
            return name
    return next((n for n in files.names if PurePosixPath(n).name.lower() in ("classes.txt", "obj.names")), "")


def _declared(files: Files, report: Report) -> tuple[list[str], tuple[int, int] | None]:
    """Names of the classes in their order, and (points, numbers a point) of a set of poses."""
    name = _names_file(files)
    if not name:
        return [], None
    text = text_of(whole(files, name), name, report)
    if not name.endswith(("yaml", "yml")):
        return [line.strip() for line in text.splitlines() if line.strip()], None
    try:
        told: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        report.drop("entry-malformed", f"{name}: {str(error).splitlines()[0]}")
        return [], None
    told = told if isinstance(told, dict) else {}
    names = told.get("names", [])
    if isinstance(names, dict):
        most = max((int(key) for key in names if str(key).isdecimal()), default=-1)
        names = [names.get(n, names.get(str(n), str(n))) for n in range(min(most, 100_000) + 1)]
    shape = told.get("kpt_shape")
    points = (int(shape[0]), int(shape[1])) if isinstance(shape, list) and len(shape) == 2 else None
    return [str(one) for one in names] if isinstance(names, list) else [], points


def _items(
    files: Files,
    labels: list[str],
    names: list[str],
    points: tuple[int, int] | None,
    classes: Classes,
    report: Report,
) -> Iterator[Item]:
    pictures = Pictures(files)
    turned = points is None and _all_of_four(files, labels[:LOOKED_AT])
    seen: dict[str, str] = {}
    for name in labels:
        picture = _picture_of(name, pictures)
        if not picture:
            report.drop("picture-missing", name)
            continue
        if picture in seen:
            report.drop("name-twice", f"{name} and {seen[picture]} are of {picture}")
            continue
        seen[picture] = name
        size = pictures.size(picture)
        if size is None:
            report.drop("picture-unreadable", picture)
            continue
        things = []
        for line, text in lines_of(files, name, report):
            if text.strip():
                thing = _thing(text.split(), f"{name}:{line}", size, names, points, turned, classes, report)
                if thing is not None:
                    things += thing
        yield _item(picture, size, things, name)
    for picture in pictures.paths:
        if picture not in seen and _is_beside_labels(picture, labels):
            yield _item(picture, pictures.size(picture) or (None, None), [], picture)


def _item(picture: str, size: tuple[int | None, int | None], things: list[Thing], place: str) -> Item:
    parts = PurePosixPath(picture).parts
    kept = parts[parts.index("images") + 1 :] if "images" in parts else parts
    return Item(
        "/".join(kept),
        picture,
        width_px=size[0],
        height_px=size[1],
        sayings=(Saying(things=tuple(things)),),
        split=split_of(picture) or split_of(place),
        place=place,
    )


def _picture_of(label: str, pictures: Pictures) -> str:
    stem = label[: -len(".txt")]
    swapped = ("/" + stem).replace("/labels/", "/images/", 1).removeprefix("/")
    return pictures.find(swapped, "", stem=True) or pictures.find(stem, "", stem=True)


def _is_beside_labels(picture: str, labels: list[str]) -> bool:
    """A picture without a file of labels has nothing on it, where it lies among those that have one."""
    return "images/" in picture or any("/" not in name for name in labels[:1])


def _all_of_four(files: Files, names: list[str]) -> bool:
    counted = 0
    for name in names:
        for line in head(files, name, 16_384).split(b"\n")[:50]:
            words = line.split()
            if words:
                if len(words) != 9:
                    return False
                counted += 1
    return counted > 0


def _thing(
    words: list[str],
    place: str,
    size: tuple[int, int],
    names: list[str],
    points: tuple[int, int] | None,
    turned: bool,
    classes: Classes,
    report: Report,
) -> list[Thing] | None:
    try:
        told = number(words[0])
        shares = [number(word) for word in words[1:]]
        if told != int(told) or told < 0 or len(shares) < 4:
            raise ValueError(f"{len(words)} numbers, the first of them a class")
        score = None
        pose = 4 + points[0] * points[1] if points else -1
        if len(shares) in (5, pose + 1):
            score = shares.pop()
        flat = (
            [
                value
                for n, value in enumerate(shares)
                if not (len(shares) == pose and points[1] == 3 and n >= 4 and (n - 4) % 3 == 2)
            ]
            if points
            else shares
        )
        if flat and max(map(abs, flat)) > WILD:
            raise ValueError("a number is no share of the picture")
    except ValueError as error:
        report.drop("shape-malformed", f"{place}: {error}")
        return None
    if names and told >= len(names):
        report.drop("class-unknown", f"{place} (class {int(told)} of {len(names)})")
        return None
    cls = classes.named(names[int(told)] if names else str(int(told)))
    if flat and (min(flat) < -OUTSIDE or max(flat) > 1 + OUTSIDE):
        report.drop("outside", place)
    width, height = size
    if len(shares) == pose and points is not None:
        return _pose(cls, shares, points, size, score, place, report)
    shape: Shape | None
    if len(shares) == 4:
        cx, cy, w, h = shares
        shape = clipped_box(
            Box((cx - w / 2) * width, (cy - h / 2) * height, w * width, h * height), float(width), float(height)
        )
    elif len(shares) % 2 or len(shares) < 6:
        report.drop("shape-malformed", f"{place}: {len(shares)} numbers are neither a box nor an outline")
        return None
    else:
        ring: Ring = tuple((x * width, y * height) for x, y in ring_from(shares))
        shape = box_of_corners(ring) if turned else None
        if shape is None:
            ring = clipped(ring, width, height)
            shape = simple_polygon(ring) if ring_area(ring) > 0 else None
    if shape is None:
        report.drop("shape-empty", place)
        return None
    return [Thing(cls.name, shape, score=score, source="person" if score is None else "model", place=place)]


def _pose(
    cls: Class,
    shares: list[float],
    points: tuple[int, int],
    size: tuple[int, int],
    score: float | None,
    place: str,
    report: Report,
) -> list[Thing]:
    width, height = size
    cx, cy, w, h = shares[:4]
    rows = [shares[4 + n : 4 + n + points[1]] for n in range(0, points[0] * points[1], points[1])]
    seen = tuple((min(2, max(0, int(row[2]))) if points[1] == 3 else 2 if any(row) else 0) for row in rows)
    places = tuple((row[0] * width, row[1] * height) for row in rows)
    source: Any = "person" if score is None else "model"
    box = Box((cx - w / 2) * width, (cy - h / 2) * height, w * width, h * height)
    out = []
    points_ = Points(places, seen)
    if w > 0 and h > 0 and not (any(seen) and is_around(box, points_)):
        out.append(Thing(cls.name, box, score=score, source=source, group=place, place=place))
    if any(seen):
        out.append(Thing(cls.name, points_, score=score, source=source, group=place, place=place))
    if not out:
        report.drop("shape-empty", place)
    return out


# ---------------------------------------------------------------- writing
class _Writer:
    def __init__(self, target: Target, task: str) -> None:
        self._target, self._task = target, task
        self._splits: set[str] = set()
        self._points = 0
        self._index: dict[str, int] = {}

    def _number(self, name: str) -> int:
        return self._index.setdefault(name, len(self._index))

    def _declare(self) -> None:
        """Those that the source declares keep its order, whether they are used or not."""
        for one in self._target.classes:
            self._number(one.name)

    def add(self, item: Item) -> Iterator[Out]:
        split = item.split or "train"
        if not self._splits:
            self._declare()
        self._splits.add(split)
        if self._task == "classify":
            chosen = next((one.classes[0] for one in item.sayings if one.classes), None)
            if chosen is None:
                self._target.report.drop("classes-of-item", f"{item.place or item.name}: it has none")
            else:
                self._number(chosen)
                name = picture_name(item).replace("/", "_")
                yield Picture(f"{split}/{_folder(chosen, self._number(chosen))}/{name}", item)
            return
        lines = []
        for saying in item.sayings:
            things = list(saying.things)
            for thing in things if self._task != "pose" else _whole(things):
                line = self._line(thing, things, item)
                if line:
                    lines.append(line)
        yield File(f"labels/{split}/{stem_name(item)}.txt", ["".join(lines).encode()])
        if item.picture:
            yield Picture(f"images/{split}/{picture_name(item)}", item)

    def _line(self, thing: Thing, others: list[Thing], item: Item) -> str:
        width, height = float(item.width_px or 1), float(item.height_px or 1)
        place = thing.place or item.name
        shape = thing.shape
        numbers: list[float] = []
        if self._task == "segment" and isinstance(shape, Polygon):
            ring = clipped(shape.parts[0][0], width, height)
            if ring_area(ring) <= 0:
                self._target.report.drop("outside", place)
                return ""
            numbers = [n for x, y in ring for n in (x / width, y / height)]
        elif self._task == "obb" and isinstance(shape, Box):
            numbers = [n for x, y in clipped(corners(shape), width, height) for n in (x / width, y / height)]
        else:
            x0, y0, x1, y1 = bounds(shape)
            if isinstance(shape, Points):
                known = self._target.classes.named(thing.cls)
                if len(known.points) < len(shape.points):
                    known.points = tuple(str(n + 1) for n in range(len(shape.points)))
                self._points = max(self._points, len(shape.points))
                twin = next(
                    (o for o in others if thing.group and o.group == thing.group and isinstance(o.shape, Box)), None
                )
                if twin is not None:
                    x0, y0, x1, y1 = bounds(twin.shape)
                elif x1 - x0 < 1 or y1 - y0 < 1:
                    x0, y0, x1, y1 = x0 - 0.5, y0 - 0.5, x1 + 0.5, y1 + 0.5
            box = clipped_box(Box(x0, y0, x1 - x0, y1 - y0), width, height)
            if box is None:
                self._target.report.drop("outside", place)
                return ""
            numbers = [
                (box.x + box.w / 2) / width, (box.y + box.h / 2) / height, box.w / width, box.h / height,
            ]  # fmt: skip
            if self._task == "pose":
                return self._pose_line(thing, numbers, width, height)
        return f"{self._number(thing.cls)} {' '.join(f'{n:.6f}' for n in numbers)}\n"

    def _pose_line(self, thing: Thing, box: list[float], width: float, height: float) -> str:
        """How many points there are is only known at the end, so sets of unlike skeletons are held to the most that
        their classes declare."""
        most = max((len(one.points) for one in self._target.classes), default=0)
        rows = []
        if isinstance(thing.shape, Points):
            for (x, y), seen in zip(thing.shape.points, thing.shape.seen, strict=True):
                rows.append(f"{x / width:.6f} {y / height:.6f} {seen}" if seen else "0.000000 0.000000 0")
        rows += ["0.000000 0.000000 0"] * (max(most, self._points) - len(rows))
        return f"{self._number(thing.cls)} {' '.join(f'{n:.6f}' for n in box)} {' '.join(rows)}\n"

    def end(self) -> Iterator[Out]:
        self._declare()
        names = "".join(f"  {n}: {_quoted(name)}\n" for name, n in self._index.items())
        if self._task == "classify":
            return
        splits = self._splits or {"train"}
        first = "train" if "train" in splits else min(splits)
        lines = [f"train: images/{first}\n", f"val: images/{'val' if 'val' in splits else first}\n"]
        if "test" in splits:
            lines.append("test: images/test\n")
        if self._task == "pose":
            most = max(self._points, *(len(one.points) for one in self._target.classes), 0)
            lines.append(f"kpt_shape: [{most}, 3]\n")
        yield File("data.yaml", [f"# {_quoted(self._target.title)}\n{''.join(lines)}names:\n{names}".encode()])


def _whole(things: list[Thing]) -> list[Thing]:
    """Skeletons, and boxes that belong to none of them."""
    posed = {one.group for one in things if one.group and isinstance(one.shape, Points)}
    return [one for one in things if isinstance(one.shape, Points) or one.group not in posed]


def _folder(name: str, position: int) -> str:
    plain = "".join("_" if c in '<>:"/\\|?*' or ord(c) < 32 else c for c in name).strip(" .")
    return plain or f"class-{position}"


def _quoted(text: str) -> str:
    """A text for YAML: as JSON has it, with every character escaped that does not print, for YAML is stricter."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in quoted)


yolo = Yolo()
yolo_seg = YoloSegment()
yolo_obb = YoloTurned()
yolo_pose = YoloPose()
yolo_classify = YoloClassify()
