"""Pictures in folders that are their classes, below train, val or test: how pictures to classify are kept for YOLO."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from cupola.formats.form import split_of
from cupola.formats.model import Classes, Item, Saying
from cupola.formats.report import Report
from cupola.formats.tree import Files, Pictures, ending

_no_class = re.compile(r"(images?|imgs?|pictures?|photos?|frames?|jpegimages|data|raw)[_-]?\d*", re.IGNORECASE)


def is_classified(files: Files) -> bool:
    paths = Pictures(files).paths
    return bool(paths) and all(
        len(parts := PurePosixPath(path).parts) >= 3 and split_of(parts[-3]) != "" for path in paths
    )


def has_labels_of_others(files: Files) -> bool:
    """Whether the folders are no classes after all: one alone that is called "images", or files beside speak of the
    same pictures."""
    paths = [PurePosixPath(path) for path in Pictures(files).paths]
    stems = {path.stem for path in paths}
    others = (PurePosixPath(name) for name in files.names if ending(name) in ("txt", "xml", "json", "csv"))
    folders = {path.parent.name for path in paths}
    return all(_no_class.fullmatch(name) for name in folders) or any(one.stem in stems for one in others)


def classified(files: Files, classes: Classes, report: Report) -> Iterator[Item]:
    pictures = Pictures(files)
    for path in pictures.paths:
        pure = PurePosixPath(path)
        cls = classes.named(pure.parts[-2])
        size = pictures.size(path)
        if size is None:
            report.drop("picture-unreadable", path)
        yield Item(
            path,
            path,
            width_px=size[0] if size else None,
            height_px=size[1] if size else None,
            sayings=(Saying(classes=(cls.name,)),),
            split=split_of(pure.parts[-3]),
            place=path,
        )
