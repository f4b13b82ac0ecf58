"""No list of the HTTP interface grows without bound, no answer goes undescribed; and the rules fail on ones that do."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI

from cupola.platform import settings
from cupola.platform.web import Cursor, Limit, Listed
from tests.absences.api_rules import BOUNDED, FREE, outside_addresses, unbounded_lists, undescribed


@pytest.fixture
def document(tmp_path: Path) -> dict[str, Any]:
    http = pytest.importorskip("cupola.app.http", exc_type=ImportError)
    # the document is made from the routes alone: no database, no blobs
    return http.create_app(SimpleNamespace(settings=settings.load(tmp_path))).openapi()


def test_every_list_has_a_bound_and_a_cursor(document: dict[str, Any]) -> None:
    assert unbounded_lists(document) == []


def test_what_is_excused_from_pages_exists(document: dict[str, Any]) -> None:
    assert [path for path in BOUNDED if "get" not in document["paths"].get(path, {})] == []


def test_the_document_names_no_other_server(document: dict[str, Any]) -> None:
    assert outside_addresses(document) == []
    assert outside_addresses({"servers": [{"url": "https://api.example.com"}]})


def test_every_member_of_an_answer_is_described(document: dict[str, Any]) -> None:
    assert undescribed(document) == []


def test_what_is_excused_from_a_description_exists(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert [name for name in FREE if name.split(".")[1] not in schemas[name.split(".")[0]]["properties"]] == []


def test_members_that_are_left_out_at_their_default_are_not_required(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["Ontology"]["required"] == ["kind"]
    assert schemas["Object"]["required"] == ["id", "cls", "shape"]
    for name in ("Assignment", "BlindItem", "TaskDetail"):
        assert schemas[name]["properties"]["ontology"]["$ref"] == "#/components/schemas/Ontology"


def test_planted_members_that_say_nothing_are_found() -> None:
    said: dict[str, Any] = {"type": "string"}
    nothing: dict[str, Any] = {"title": "Label"}
    anything: dict[str, Any] = {"type": "object", "additionalProperties": True}
    members = {
        "a": said,
        "b": nothing,
        "c": anything,
        "d": {"anyOf": [anything, {"type": "null"}]},
        "e": {"items": nothing},
    }
    assert undescribed({"components": {"schemas": {"X": {"properties": members}}}}) == ["X.b", "X.c", "X.d", "X.e"]


def planted() -> FastAPI:
    app = FastAPI()

    @app.get("/a", response_model=list[int])
    def a() -> None: ...

    @app.get("/b", response_model=Listed[int])
    def b(limit: int = 10, cursor: Cursor = None) -> None: ...

    @app.get("/c", response_model=Listed[int])
    def c(limit: Limit = 10) -> None: ...

    @app.get("/fine", response_model=Listed[int])
    def fine(limit: Limit = 10, cursor: Cursor = None) -> None: ...

    @app.get("/one", response_model=int)
    def one() -> None: ...

    return app


def test_planted_lists_without_a_bound_or_a_cursor_are_found() -> None:
    found = unbounded_lists(planted().openapi())
    assert len(found) == 4
    assert [text.split()[1] for text in found] == ["/a", "/a", "/b", "/c"]
