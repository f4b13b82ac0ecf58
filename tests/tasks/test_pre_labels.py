"""Pre-labels that fit a project in part: what fits is shown, what does not is told and counted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.foundry import Foundry
from tests.serving import Serving

SPEC = {"kind": "objects", "classes": [{"name": "car"}, {"name": "bus"}]}


def boxes(*classes: str) -> str:
    objects = [
        {"id": f"o{n}", "cls": cls, "shape": {"type": "box", "x": 1, "y": 1, "w": 5, "h": 5}}
        for n, cls in enumerate(classes)
    ]
    return json.dumps({"kind": "objects", "objects": objects})


GIVEN = {
    "whole": boxes("car", "bus"),
    "in part": boxes("car", "tram", "bus", "tram"),
    "in nothing": boxes("tram"),
    "of another kind": json.dumps({"kind": "choice", "values": ["car"]}),
}


@pytest.fixture(scope="module")
def made(foundry: Foundry) -> dict[str, Any]:
    """The answer to making the tasks, and what each task of the page begins with."""
    with foundry.http() as url:
        serving = Serving(url, foundry.admin_url, foundry.runtime, foundry.loop, None)  # type: ignore[arg-type]
        owner = serving.owner("Brings labels along")
        client = owner.client
        client.headers["Cupola-Tenant"] = owner.tenant
        dataset = client.post("/api/datasets", json={"name": "set"}).json()["id"]
        for ref, label in {**GIVEN, "without": None}.items():
            foundry.sql(
                "INSERT INTO item (tenant, id, dataset, ref, media_type, body, pre_label, fingerprint, created_at) "
                "VALUES (%s, uuidv7(), %s, %s, 'text/plain', 'words', %s, '\\x00', now())",
                owner.tenant,
                dataset,
                ref,
                label,
            )
        version = client.post("/api/ontologies", json={"name": "o", "spec": SPEC}).json()["version_id"]
        body = {"name": "p", "dataset": dataset, "ontology_version": version, "offer": {"price_minor": 10}}
        project = client.post("/api/projects", json={**body, "plan": {"gold_rate": 0.0}}).json()["id"]
        answer = client.post(f"/api/projects/{project}/tasks", json={}).json()
        answer["later"] = client.get(f"/api/projects/{project}/pre-labels").json()
        bare = client.post("/api/datasets", json={"name": "bare"}).json()["id"]
        other = client.post("/api/projects", json={**body, "name": "q", "dataset": bare}).json()["id"]
        answer["none"] = client.get(f"/api/projects/{other}/pre-labels").status_code
        serving.operator().client.post(f"/api/tenants/{owner.tenant}/fund", json={"amount_minor": 10_000})
        client.post(f"/api/projects/{project}/allot", json={"amount_minor": 10_000})
        assert client.post(f"/api/projects/{project}/launch").is_success
        person = {"people": [{"name": "one"}], "tokens": True}
        token = serving.operator().client.post("/api/contributors", json=person).json()["items"][0]["token"]
        page = serving.client(Authorization=f"Bearer {token}").post(f"/api/work/projects/{project}/claim", json={})
        answer["begin"] = {task["item"]["ref"]: task["pre_label"] for task in page.json()["tasks"]}
        return answer


def test_what_fits_is_shown_and_nothing_else(made: dict[str, Any]) -> None:
    begin = made["begin"]
    assert [thing["cls"] for thing in begin["whole"]["objects"]] == ["car", "bus"]
    assert [(thing["id"], thing["cls"]) for thing in begin["in part"]["objects"]] == [("o0", "car"), ("o2", "bus")]
    assert begin["in nothing"] is begin["of another kind"] is begin["without"] is None


def test_what_does_not_fit_is_told_and_counted_when_the_tasks_are_made(made: dict[str, Any]) -> None:
    told = made["pre_labels"]
    assert made["created"] == 5
    assert (told["looked_at"], told["whole"], told["in_part"], told["none"]) == (4, 1, 1, 2)
    reasons = {one["code"]: one for one in told["reasons"]}
    assert reasons["label-unknown-class"]["parts"] == 3
    assert "tram" in reasons["label-unknown-class"]["example"]
    assert "label-wrong-kind" in reasons


def test_the_counts_are_told_at_any_time_and_where_there_are_none_nothing_is(made: dict[str, Any]) -> None:
    assert made["later"] == made["pre_labels"]
    assert made["none"] == 204
