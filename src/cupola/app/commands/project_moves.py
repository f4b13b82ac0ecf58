"""A project's life from the command line, through the HTTP API: what it will cost, a pause, going on, the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cupola.app import moving
from cupola.app.commands.common import LOCAL, ApiKey, Json, Url, quoted, tell
from cupola.client import Client
from cupola.kernel.money import in_words


def _moved(project: str, verb: str, key: str, url: str) -> dict[str, Any]:
    client = Client(url, key)
    found: dict[str, Any] = moving.named(client, "/api/projects", project)
    done: dict[str, Any] = client.post(f"/api/projects/{found['id']}/{verb}")
    return done


def project_pause(project: str, *, key: ApiKey, url: Url = LOCAL, json_: Json = False) -> None:
    """Offer no more of a project's work for a while; pages that people hold are finished and paid.

    Parameters
    ----------
    project
        The project's name or id.
    """
    now = _moved(project, "pause", key, url)
    name = quoted(now["name"])
    tell(
        now,
        json_,
        f"Project {now['name']} is paused: no more pages are given out, those held are finished and paid.",
        f"cupola project resume {name}",
        f"cupola project stop {name}",
    )


def project_resume(project: str, *, key: ApiKey, url: Url = LOCAL, json_: Json = False) -> None:
    """Offer a paused project's work again.

    Parameters
    ----------
    project
        The project's name or id.
    """
    now = _moved(project, "resume", key, url)
    name = quoted(now["name"])
    open_ = now["counts"]["open"] + now["counts"]["collecting"]
    tell(
        now,
        json_,
        f"Project {now['name']} is live again: {open_} tasks are still worked on.",
        f"cupola project show {name}",
        f"cupola project pause {name}",
    )


def project_stop(project: str, *, key: ApiKey, url: Url = LOCAL, json_: Json = False) -> None:
    """End a project for good: what is claimed is finished and paid, what it has left comes back to the budget.

    Parameters
    ----------
    project
        The project's name or id.
    """
    now = _moved(project, "stop", key, url)
    settled = now["counts"]["settled"]
    then = [f"cupola release {quoted(now['name'])} --name v1 --items {settled}"] if settled else ["cupola project list"]
    if now["counts"]["escalated"]:
        then = [f"cupola adjudicate {quoted(now['name'])} --answers FILE", *then]
    tell(
        now,
        json_,
        f"Project {now['name']} is stopped: {settled} of {now['counts']['total']} tasks are settled; "
        "what is claimed is finished and paid.",
        *then,
    )


def project_estimate(
    project: str, *, key: ApiKey, target: float | None = None, url: Url = LOCAL, json_: Json = False
) -> None:
    """What a project will likely need and cost: simulated on a crowd like those that were measured.

    Parameters
    ----------
    project
        The project's name or id.
    target
        Another accuracy that a settled label must be worth, to see what that would take.
    """
    client = Client(url, key)
    found = client.get(f"/api/projects/{moving.named(client, '/api/projects', project)['id']}")
    plan, offer = dict(found["plan"]), found["offer"]
    if target is not None:
        plan["target_accuracy"] = target
    ontology = client.get(f"/api/ontology-versions/{found['ontology_version']}")
    asked = ("target_accuracy", "confidence", "min_judgements", "max_judgements", "gold_rate", "audit_items")
    made = client.post(
        "/api/projects/estimate",
        {
            "items": max(found["counts"]["total"], 1),
            "classes": max(len(ontology["spec"].get("classes", [])), 2),
            "plan": {name: plan[name] for name in asked if name in plan},
            "offer": {"price_minor": offer["price_minor"], "currency": offer["currency"]},
        },
    )
    name = quoted(found["name"])
    whole = in_words(made["cost_minor"]["high"], made["currency"]).partition(" ")[0]
    draft = found["state"] == "draft"
    then = f"cupola project launch {name} --budget {whole}" if draft else f"cupola project show {name}"
    tell(
        made,
        json_,
        _in_words(made, found["counts"]["total"]),
        then if found["counts"]["total"] else f"cupola tasks add {name}",
    )


def _in_words(made: dict[str, Any], tasks: int) -> str:
    def span(of: dict[str, int], say: Callable[[int], str] = str) -> str:
        return f"{say(of['likely'])} ({say(of['low'])} to {say(of['high'])})"

    return (
        f"For {tasks} tasks, by {made['basis']}:\n"
        f"  judgements {span(made['judgements'])}\n"
        f"  for experts {span(made['experts'])}\n"
        f"  cost {span(made['cost_minor'], lambda minor: in_words(minor, made['currency']))}\n"
        f"  an audit of {made['audit_items']} items"
    )
