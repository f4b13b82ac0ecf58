"""Moving data through the API for the command line: pack, upload, wait, fetch."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cupola.client import ApiError, Client
from cupola.formats.tree import Files
from cupola.kernel import clock
from cupola.kernel.errors import Kind, Problem
from cupola.platform.settings import Settings

POLL_S = 0.2


def parts(settings: Settings) -> dict[str, Path]:
    """The folders and files that belong to an instance beside its database."""
    found = {"secret": settings.data_dir / "secret"}
    if settings.blobs_url is None:
        found["blobs"] = settings.data_dir / "blobs"
    return found


def progress(console: Console | None) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=console is None,
    )


def dataset(client: Client, name: str, licence: str) -> dict[str, Any]:
    """The dataset of this name, made when there is none."""
    for row in client.every("/api/datasets"):
        if row["name"] == name:
            return row
    made: dict[str, Any] = client.post("/api/datasets", {"name": name, "licence": licence})
    return made


def named(client: Client, path: str, wanted: str) -> dict[str, Any]:
    """The row of a list with this name or identifier."""
    for row in client.every(path):
        if wanted in (row["name"], row["id"]):
            return row
    raise Problem(
        Kind.NOT_FOUND, "not-found", f"There is nothing named {wanted!r}.", remedy="Check the name and the key."
    )


def release_id(client: Client, wanted: str) -> str:
    """The identifier of a release that is told by it, by its name, or as PROJECT/NAME.

    Raises Problem: NOT_FOUND; INVALID where several have this name.
    """
    with suppress(ValueError):
        return str(UUID(wanted))
    found = [
        (project["name"], release)
        for project in client.every("/api/projects")
        for release in client.every(f"/api/projects/{project['id']}/releases")
        if wanted in (release["name"], f"{project['name']}/{release['name']}")
    ]
    if len(found) > 1:
        told = ", ".join(f"{of} ({one['id']})" for of, one in found[:10])
        raise Problem(
            Kind.INVALID,
            "release-ambiguous",
            f"Several releases are called {wanted!r}: {told}.",
            remedy="Say PROJECT/NAME, or the id.",
        )
    if not found:
        raise Problem(
            Kind.NOT_FOUND,
            "not-found",
            f"There is no release {wanted!r}.",
            remedy="Give its name, PROJECT/NAME or its id: cupola release prints it.",
        )
    return str(found[0][1]["id"])


def declared_release(client: Client, project: str, name: str, asked: dict[str, Any]) -> dict[str, Any]:
    """A release declared under a name; one that was declared before, and never frozen, goes on.

    Raises ApiError: "name-taken" for one that was frozen.
    """
    try:
        made: dict[str, Any] = client.post(f"/api/projects/{project}/releases", asked)
    except ApiError as refused:
        if refused.code != "name-taken":
            raise
        before = [one for one in client.every(f"/api/projects/{project}/releases") if one["name"] == name]
        if not before or before[0]["state"] != "declared":
            raise
        return before[0]
    return made


def import_path(
    client: Client, dataset_id: str, path: Path, console: Console | None, names: str | None = None
) -> tuple[dict[str, Any], list[str]]:
    """Upload a file or a folder (packed on the way), import it, and wait for the end.

    names: the encoding of an archive's file names, where it does not say. Also returns what could not be packed.
    """
    left_out: list[str] = []
    if not path.exists():
        raise Problem(
            Kind.INVALID, "path-missing", f"{path} does not exist.", remedy="Check the path.", place=str(path)
        )
    with tempfile.TemporaryDirectory() as scratch:
        file = path
        if path.is_dir():
            file = Path(scratch) / f"{path.resolve().name or 'folder'}.zip"
            left_out = _pack(path, file, console)
        name = file.name.encode(errors="replace").decode()  # a name that is not UTF-8 would not travel
        sent = client.upload(f"/api/datasets/{dataset_id}/uploads", file, name=name)
    source = {"type": "upload", "upload": sent["upload"]} | ({"names": names} if names else {})
    started = client.post(f"/api/datasets/{dataset_id}/imports", {"source": source})
    return wait_for_import(client, started["id"], console), left_out


def wait_for_import(client: Client, import_id: str, console: Console | None) -> dict[str, Any]:
    """Follow an import to its end."""
    with progress(console) as bar:
        task = bar.add_task("importing", total=None)
        while True:
            state: dict[str, Any] = client.get(f"/api/imports/{import_id}")
            bar.update(task, completed=state["accepted"] + state["unchanged"] + state["refused"])
            if state["state"] in ("done", "failed"):
                return state
            clock.sleep(POLL_S)


def _pack(folder: Path, target: Path, console: Console | None) -> list[str]:
    """Pack a folder as it is; a file that cannot be packed is left out and told, and ends nothing."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() or file.is_symlink())
    left_out: list[str] = []
    # Times before 1980 are beyond the format; nobody needs them here.
    packed = zipfile.ZipFile(target, "w", zipfile.ZIP_STORED, allowZip64=True, strict_timestamps=False)
    with progress(console) as bar, packed as archive:
        for file in bar.track(files, description="packing"):
            name = file.relative_to(folder).as_posix()
            shown = name.encode(errors="backslashreplace").decode()
            if file.is_symlink():
                left_out.append(f"{shown}: a symbolic link, which may lead out of the folder")
                continue
            try:
                name.encode()
                with file.open("rb"):
                    pass  # before the archive has begun an entry for it
                archive.write(file, name)
            except UnicodeEncodeError:
                left_out.append(f"{shown}: its name is not UTF-8; rename it")
            except OSError as error:
                left_out.append(f"{shown}: {error.strerror or error}")
    return left_out


def pack_files(files: Files, target: Path, console: Console | None) -> None:
    """Pack the files that annotations lie in, with their pictures, wherever these lie."""
    packed = zipfile.ZipFile(target, "w", zipfile.ZIP_STORED, allowZip64=True, strict_timestamps=False)
    with progress(console) as bar, packed as archive:
        for name in bar.track(files.names, description="packing"):
            with files.open(name) as source, archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as entry:
                shutil.copyfileobj(source, entry, 1 << 20)


def add_tasks(client: Client, project: str, body: dict[str, Any], console: Console | None) -> dict[str, Any]:
    """Make the tasks of a project and wait until all are made; what the server said, `created` being all of them.

    Raises Problem when that ended before.
    """
    made: dict[str, Any] = client.post(f"/api/projects/{project}/tasks", body)
    left = made["adding"]
    with progress(console) as bar:
        task = bar.add_task("making tasks", total=None)
        while left is not None and not left["trouble"]:
            made["created"] = left["made"]
            bar.update(task, completed=left["looked_at"], total=left["items"])
            clock.sleep(POLL_S)
            now = client.get(f"/api/projects/{project}")
            left = now["adding"]
            if left is None:
                made["created"] = now["counts"]["total"] + now["counts"]["gold"]
    if left is not None:
        raise Problem(Kind.UNAVAILABLE, "tasks-failed", str(left["trouble"]), remedy="Mend that, then add them again.")
    return made


def freeze_release(client: Client, release: str, console: Console | None) -> dict[str, Any]:
    """Freeze a declared release and wait until it is; the release as it stands then.

    Raises Problem when it could not be frozen.
    """
    made: dict[str, Any] = client.post(f"/api/releases/{release}/freeze")
    with progress(console) as bar:
        task = bar.add_task("freezing", total=None)
        while made["state"] == "freezing":
            bar.update(task, completed=made["freezing"]["rows"], total=made["freezing"]["of"])
            clock.sleep(POLL_S)
            made = client.get(f"/api/releases/{release}")
    if made["state"] == "declared":
        raise Problem(Kind.UNAVAILABLE, "freeze-failed", str(made["trouble"]), remedy="Freeze it again.")
    return made


def export_release(client: Client, release: str, format: str, to: Path, console: Console | None) -> list[Path]:
    """Start an export, wait for it, and fetch it with the release's evidence, description and data card."""
    to.mkdir(parents=True, exist_ok=True)
    export = client.post(f"/api/releases/{release}/exports", {"format": format})
    with progress(console) as bar:
        task = bar.add_task(f"exporting {format}", total=None)
        while export["state"] in ("waiting", "running"):
            clock.sleep(POLL_S)
            export = client.get(f"/api/exports/{export['id']}")
            bar.update(task, completed=export["rows"])
    if export["state"] != "done":
        raise Problem(Kind.UNAVAILABLE, "export-failed", str(export["error"]), remedy="See the server's log.")
    data = to / str(export["file_name"])
    client.download(f"/api/exports/{export['id']}/file", data)
    proof = to / f"{data.name.split('.')[0]}-evidence.zip"
    client.download(f"/api/releases/{release}/evidence", proof)
    described = to / f"{data.name.split('.')[0]}-croissant.json"
    client.download(f"/api/releases/{release}/croissant.json", described)
    told = to / f"{data.name.split('.')[0]}-README.md"
    client.download(f"/api/releases/{release}/card.md", told)
    return [data, proof, described, told]
