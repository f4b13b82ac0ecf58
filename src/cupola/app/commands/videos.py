"""Videos on this machine, without a server: their frames as pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cupola.app.commands.common import Json, out
from cupola.catalog.video import reading
from cupola.catalog.video.names import frame_name
from cupola.kernel.errors import invalid

AT_ONCE = 32


def frames(
    video: Path,
    folder: Path | None = None,
    *,
    every: Annotated[int, Parameter(help="Of so many frames one.")] = 1,
    json_: Json = False,
) -> int:
    """Say how a video's frames are numbered, and write them as JPEG pictures into a folder, under those numbers.

    000000.jpg is frame 0, in the order in which a player shows them: the frames of labels and exports, and of
    `ffmpeg -i VIDEO -fps_mode passthrough -start_number 0 %06d.jpg`. Without a folder nothing is written.
    """
    if not video.is_file():
        raise invalid("file-absent", f"There is no file {str(video)!r}.", remedy="Check the path.")
    if every < 1:
        raise invalid("frames-every", "Of how many frames one is written is 1 or more.", remedy="Leave it out for all.")
    table = reading.read_table(video)
    written = 0
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        for first in range(0, table.frames, AT_ONCE):
            count = min(AT_ONCE, table.frames - first)
            for number, picture in enumerate(reading.pictures(video, table, first, count), first):
                if number % every == 0:
                    (folder / frame_name(number)).write_bytes(picture)
                    written += 1
    told = {
        "frames": table.frames,
        "duration_s": round(table.duration_s, 3),
        "width_px": table.width_px,
        "height_px": table.height_px,
        "keyframes": len(table.keys),
        "frame_table": table.sha256,
        "written": written,
    }
    if json_:
        print(json.dumps(told))
        return 0
    out.print(
        f"{table.frames} frames of {table.width_px} x {table.height_px} px in {table.duration_s:.3f} s, "
        f"{len(table.keys)} of them key frames; frame table {table.sha256[:12]}."
        + (f" {written} pictures written to {folder}." if folder is not None else "")
    )
    return 0
