"""Croissant: a release's description in the form that dataset search and loaders read (MLCommons, version 1.0)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cupola.releases.exporters.base import Records

_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataBiases": "cr:dataBiases",
    "dataCollection": "cr:dataCollection",
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "personalSensitiveInformation": "cr:personalSensitiveInformation",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}

_COLUMNS = (
    ("ref", "sc:Text", "The name of the item in its dataset."),
    ("task", "sc:Text", "The task that settled it."),
    ("label", "sc:Text", "The settled label as JSON."),
    ("class", "sc:Text", "The class, where one was chosen."),
    ("confidence", "sc:Float", "The posterior probability that it was settled with."),
    ("how", "sc:Text", "crowd, adjudicated, reviewed, model (under a certificate) or gold."),
    ("settlement", "sc:Text", "The settlement, which names its method and its judgements."),
    ("media_type", "sc:Text", "The media type of the item."),
    ("sha256", "sc:Text", "The SHA-256 of the item's picture."),
    ("url", "sc:Text", "The address of an item that is kept elsewhere."),
    ("text", "sc:Text", "The item's words."),
    ("width_px", "sc:Integer", "The picture's width as shown."),
    ("height_px", "sc:Integer", "The picture's height as shown."),
    ("parts", "sc:Text", "What an item of several parts is made of, in order, as JSON; otherwise nothing."),
)


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file of the release. sha256: lower-case hex. records: where its format is read as records."""

    name: str
    sha256: str
    size_bytes: int
    media_type: str
    records: Records | None = None


def croissant(
    *,
    release: UUID,
    name: str,
    licence: str,
    created_at: datetime,
    items: int,
    files: Sequence[FileEntry],
    url: str,
    statement: str = "",
) -> dict[str, Any]:
    """The description as JSON-LD. statement: what the certificate says; files that are read as records are described
    by their columns, others by name and hash alone."""
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "@id": str(release),
        "name": name,
        "description": " ".join(part for part in (f"{items} labelled items.", statement) if part),
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "citeAs": f"{name} ({created_at:%Y}), release {release}",
        "license": licence,
        "url": url,
        "version": "1.0.0",
        "identifier": str(release),
        "datePublished": created_at.isoformat(),
        "distribution": [_file(entry) for entry in files],
        "recordSet": [_records(entry, entry.records.without) for entry in files if entry.records],
    }


def _ending(entry: FileEntry) -> str:
    return entry.name.rsplit(".", 1)[-1]


def _file(entry: FileEntry) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": entry.name,
        "name": entry.name,
        "contentUrl": entry.name,
        "contentSize": f"{entry.size_bytes} B",
        "encodingFormat": entry.records.encoding if entry.records else entry.media_type,
        "sha256": entry.sha256,
    }


def _records(entry: FileEntry, without: Collection[str]) -> dict[str, Any]:
    here = f"items-{_ending(entry)}"
    return {
        "@type": "cr:RecordSet",
        "@id": here,
        "name": here,
        "key": {"@id": f"{here}/ref"},
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{here}/{name}",
                "name": name,
                "description": told,
                "dataType": kind,
                "source": {"fileObject": {"@id": entry.name}, "extract": {"column": name}},
            }
            for name, kind, told in _COLUMNS
            if name not in without
        ],
    }
