"""Masks as PNG: one index a pixel, with a palette and a list of names (as VOC's SegmentationClass); or Cityscapes.

Each pixel has one class, so things of one class become one area and what lies behind is hidden; both are told.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cupola.formats import masks
from cupola.formats.fitting import as_mask
from cupola.formats.form import File, Form, Out, Picture, Target, in_words, nothing, picture_name, split_of, stem_name
from cupola.formats.model import Class, Classes, Item, Mask, Reading, Saying, Thing
from cupola.formats.report import Report
from cupola.formats.tree import Files, Pictures, lines_of

LABELS = "labelmap.txt"
FURTHER = "further_classes.txt"
CITY = "_gtFine_labelIds.png"
VOID = 255
FOLDERS = ("SegmentationClass/", "masks/", "labels/")
# The benchmark's own numbering of what it names (Cordts et al. 2016); 0 to 6 are what is not looked at.
CITYSCAPES = (
    "unlabeled", "ego vehicle", "rectification border", "out of roi", "static", "dynamic", "ground", "road", "sidewalk",
    "parking", "rail track", "building", "wall", "fence", "guard rail", "bridge", "tunnel", "pole", "polegroup",
    "traffic light", "traffic sign", "vegetation", "terrain", "sky", "person", "rider", "car", "truck", "bus",
    "caravan", "trailer", "train", "motorcycle", "bicycle",
)  # fmt: skip


class Masks(Form):
    name = "masks"
    by_picture = True
    title = "Mask PNG"
    about = in_words("A PNG of class numbers for each picture", "每张图片附一个类别编号 PNG")
    holds = frozenset({"mask"})
    needs_size = True
    city = False

    def sniff(self, files: Files) -> tuple[float, str] | None:
        if self.city:
            found = next((name for name in files.names if name.endswith(CITY)), None)
            return None if found is None else (0.98, f"{found} is a mask of Cityscapes")
        if not _labels_file(files):
            return None
        found = next(iter(_mask_files(files)), None)
        return None if found is None else (0.9, f"{found} is a mask, {_labels_file(files)} names its classes")

    def read(self, files: Files, report: Report) -> Reading:
        names = [name for name in files.names if name.endswith(CITY)] if self.city else _mask_files(files)
        if not names:
            raise nothing(self, "there is no PNG of masks with a list of classes")
        classes = Classes()
        numbers = dict(enumerate(CITYSCAPES)) | _further(files, report) if self.city else _numbers(files, report)
        for n, name in numbers.items():
            classes.add(Class(name, n))
        colours = {} if self.city else _colours(files, report)
        return Reading(classes, _items(files, names, numbers, colours, classes, self.city, report))

    def writer(self, target: Target) -> _Writer:
        return _Writer(target, city=self.city)


class Cityscapes(Masks):
    name = "cityscapes"
    title = "Cityscapes"
    about = in_words("Masks by Cityscapes' numbers, in its folders", "按 Cityscapes 编号与目录存放的掩码")
    city = True


def _labels_file(files: Files) -> str:
    return next((n for n in files.names if PurePosixPath(n).name in (LABELS, "label_colors.txt")), "")


def _mask_files(files: Files) -> list[str]:
    return [
        name
        for name in files.names
        if name.lower().endswith(".png") and any(f"/{folder}" in f"/{name}" for folder in FOLDERS)
    ]


def _numbers(files: Files, report: Report) -> dict[int, str]:
    """Number -> name, by the order of the list: "name:r,g,b::" or "name" a line."""
    out: dict[int, str] = {}
    for _, line in lines_of(files, _labels_file(files), report):
        # "name:r,g,b::", or CamVid's "r g b name"
        words = line.split()
        coloured = ":" not in line and len(words) > 3 and all(word.isdecimal() for word in words[:3])
        name = " ".join(words[3:]) if coloured else line.split(":", 1)[0].strip()
        if name and not line.startswith("#"):
            out[len(out)] = name
    return out


def _colours(files: Files, report: Report) -> dict[int, int]:
    """Colour (r * 65536 + g * 256 + b) -> number, as the list names them; where it does not, in VOC's own colours."""
    usual = palette()
    out = {_colour(*usual[3 * n : 3 * n + 3]): n for n in range(256)}
    row = 0
    for _, line in lines_of(files, _labels_file(files), report):
        if not line.strip() or line.startswith("#"):
            continue
        told = line.split(":")[1].split(",") if ":" in line else line.split()[:3]
        if len(told) == 3 and all(part.strip().isdecimal() and int(part) < 256 for part in told):
            out[_colour(*map(int, told))] = row
        row += 1
    return out


def _colour(red: int, green: int, blue: int) -> int:
    return red << 16 | green << 8 | blue


def _further(files: Files, report: Report) -> dict[int, str]:
    """Number -> name of what Cityscapes does not name, as a writer of ours leaves it beside."""
    if FURTHER not in files.names:
        return {}
    lines = (line.split(" ", 1) for _, line in lines_of(files, FURTHER, report) if line.strip())
    return {int(number): name for number, name in lines if number.isdecimal()}


def _items(
    files: Files,
    names: list[str],
    numbers: dict[int, str],
    colours: dict[int, int],
    classes: Classes,
    city: bool,
    report: Report,
) -> Iterator[Item]:
    pictures = Pictures(files)
    for name in names:
        plane = _plane(files, name, colours, report)
        if plane is None:
            continue
        picture = _picture(name, city, pictures)
        things = []
        for value in np.unique(plane).tolist():
            if value == VOID or (value == 0 and numbers.get(0) in ("background", "unlabeled")):
                continue
            cls = numbers.get(value)
            if cls is None:
                report.drop("class-unknown", f"{name} (number {value})")
                continue
            things.append(Thing(classes.named(cls).name, masks.from_raster(plane == value), place=f"{name} ({cls})"))
        height, width = plane.shape
        yield Item(
            picture or name,
            picture,
            width_px=int(width),
            height_px=int(height),
            sayings=(Saying(things=tuple(things)),),
            split=split_of(name),
            place=name,
        )


def _plane(files: Files, name: str, colours: dict[int, int], report: Report) -> NDArray[np.int32] | None:
    """One number a pixel; in a mask of colours, those that the list does not name count from 256 on."""
    try:
        with files.open(name) as stream, Image.open(stream) as picture:
            if picture.size[0] * picture.size[1] > masks.MOST_PIXELS:
                raise ValueError(f"{picture.size[0]} x {picture.size[1]} pixels; at most {masks.MOST_PIXELS} are read")
            if picture.mode in ("RGB", "RGBA") and colours:
                channels = np.asarray(picture.convert("RGB"), dtype=np.int32)
                painted = channels[:, :, 0] << 16 | channels[:, :, 1] << 8 | channels[:, :, 2]
                there, at = np.unique(painted, return_inverse=True)
                told = [colours.get(one, VOID + 1 + n) for n, one in enumerate(there.tolist())]
                return np.array(told, dtype=np.int32)[at].reshape(painted.shape)
            if picture.mode not in ("P", "L", "1"):
                raise ValueError(f"a mask of the mode {picture.mode}, not of one number a pixel")
            return np.asarray(picture if picture.mode != "1" else picture.convert("L"), dtype=np.int32)
    except (OSError, ValueError, SyntaxError) as error:
        report.drop("entry-malformed", f"{name}: {error}")
        return None


def _picture(name: str, city: bool, pictures: Pictures) -> str:
    if city:
        stem = PurePosixPath(name).name[: -len(CITY)]
        return pictures.find(f"{stem}_leftImg8bit.png")
    for folder in FOLDERS:
        if f"/{folder}" in f"/{name}":
            stem = f"/{name}".split(f"/{folder}", 1)[1].rsplit(".", 1)[0]
            above = f"/{name}".split(f"/{folder}", 1)[0].lstrip("/")
            prefix = f"{above}/" if above else ""
            found = pictures.find(stem, f"{prefix}JPEGImages/", f"{prefix}images/", prefix, stem=True)
            return "" if found == name else found
    return ""


class _Writer:
    def __init__(self, target: Target, *, city: bool) -> None:
        self._target, self._city = target, city
        self._numbers: dict[str, int] = {}

    def _number(self, name: str) -> int:
        """0 is what is nothing; Cityscapes has numbers of its own, and unknown names get those behind them."""
        if self._city:
            if name in CITYSCAPES:
                return CITYSCAPES.index(name)
            return self._numbers.setdefault(name, len(CITYSCAPES) + len(self._numbers))
        if not self._numbers:
            for one in self._target.classes:
                if one.name != "background":
                    self._numbers.setdefault(one.name, len(self._numbers) + 1)
        return self._numbers.setdefault(name, len(self._numbers) + 1)

    def add(self, item: Item) -> Iterator[Out]:
        height, width = item.height_px or 0, item.width_px or 0
        plane = np.zeros((height, width), dtype=np.uint8)
        for saying in item.sayings:
            for thing in saying.things:
                self._draw(plane, thing, item)
        out = io.BytesIO()
        picture = Image.fromarray(plane, "L" if self._city else "P")
        if not self._city:
            picture.putpalette(palette())
        picture.save(out, "PNG")
        stem, name = stem_name(item), picture_name(item)
        split = item.split or "train"
        if self._city:
            yield File(f"gtFine/{split}/set/{stem.replace('/', '_')}{CITY}", [out.getvalue()])
            if item.picture:
                yield Picture(f"leftImg8bit/{split}/set/{stem.replace('/', '_')}_leftImg8bit.png", item)
            return
        folder = f"{item.split}/" if item.split else ""
        yield File(f"{folder}SegmentationClass/{stem}.png", [out.getvalue()])
        if item.picture:
            yield Picture(f"{folder}JPEGImages/{name}", item)

    def _draw(self, plane: NDArray[np.uint8], thing: Thing, item: Item) -> None:
        number = self._number(thing.cls)
        place = thing.place or item.name
        if number >= VOID:
            self._target.report.drop("shape-not-held", f"{place}: more than {VOID - 1} classes")
            return
        mask = thing.shape if isinstance(thing.shape, Mask) else as_mask(thing.shape, *plane.shape)
        if mask is None or (mask.height, mask.width) != plane.shape:
            self._target.report.drop("size-differs", place)
            return
        raster = masks.to_raster(mask)
        hidden = int((plane[raster] != 0).sum())
        self._target.report.drop("overlap-hidden", place, hidden)
        plane[raster] = number

    def end(self) -> Iterator[Out]:
        for one in self._target.classes:
            self._number(one.name)
        if self._city:
            if self._numbers:
                lines = "".join(f"{n} {name}\n" for name, n in self._numbers.items())
                yield File(FURTHER, [lines.encode()])
            return
        colours = palette()
        rows = ["background:0,0,0::"] + [
            f"{name}:{','.join(map(str, colours[3 * n : 3 * n + 3]))}::" for name, n in self._numbers.items()
        ]
        yield File(LABELS, [b"# label:color_rgb:parts:actions\n", ("\n".join(rows) + "\n").encode()])


def palette() -> list[int]:
    """VOC's colours: the bits of a number, spread over the three channels from the highest on."""
    out = []
    for number in range(256):
        rgb = [0, 0, 0]
        for bit in range(8):
            for channel in range(3):
                rgb[channel] |= (number >> (3 * bit + channel) & 1) << (7 - bit) if 3 * bit + channel < 8 else 0
        out += rgb
    return out


masks_png = Masks()
cityscapes = Cityscapes()
