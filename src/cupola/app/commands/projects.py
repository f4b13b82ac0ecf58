"""A project from the command line, through the HTTP API: what is asked, its tasks, its money, how it stands."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from cupola.app import answers, moving, proposal
from cupola.app.commands.common import LOCAL, ApiKey, Json, Url, err, minor_units, quoted, tell
from cupola.client import ApiError, Client
from cupola.kernel import clock
from cupola.kernel.errors import Kind, Problem, invalid
from cupola.kernel.money import in_words, legs

POLL_S = 0.5
MAX_LISTED = 10_000


PLAN = {
    "target_accuracy": 0.95,
    "min_judgements": 1,
    "max_judgements": 5,
    "gold_rate": 0.0,
    "audit_items": 300,
    "expert_cost": 10.0,
}
PAGE_SIZE = 10


def _spec(
    classes: str | None, boxes: str | None, *, several: bool, compare: bool, text: bool, ontology: Path | None
) -> Any:
    given = [one for one in (classes, boxes, "text" if text else None, ontology) if one is not None]
    if len(given) != 1:
        raise invalid(
            "ontology-unclear",
            "A project asks for one kind of label.",
            place="--classes",
            remedy="Give exactly one of --template, --classes, --boxes, --text and --ontology.",
        )
    if ontology is not None:
        said = answers.words_of(ontology)
        try:
            return json.loads(said)
        except (ValueError, RecursionError) as error:
            told = f"{ontology} is no JSON: {error}"
            raise invalid("ontology-unreadable", told, place="--ontology", remedy="Mend it there.") from error
    if text:
        return {"kind": "text", "text": {"min_chars": 1}}
    names = [name.strip() for name in (classes or boxes or "").split(",") if name.strip()]
    if boxes is not None:
        return {"kind": "objects", "classes": [{"name": name, "geometry": "box"} for name in names]}
    how = {"multiple": True} if several else {"compare": True} if compare else {}
    return {"kind": "choice", "classes": [{"name": name} for name in names], **how}


def project_create(
    name: str,
    *,
    key: ApiKey,
    dataset: str,
    price: str | None = None,
    currency: str = "EUR",
    template: str | None = None,
    classes: str | None = None,
    multiple: Annotated[bool, Parameter(negative="")] = False,
    compare: Annotated[bool, Parameter(negative="")] = False,
    boxes: str | None = None,
    text: Annotated[bool, Parameter(negative="")] = False,
    ontology: Path | None = None,
    guidelines: str = "",
    target: float | None = None,
    min_judgements: int | None = None,
    max_judgements: int | None = None,
    gold_rate: float | None = None,
    audit_items: int | None = None,
    expert_cost: float | None = None,
    page_size: int | None = None,
    reviews: str | None = None,
    url: Url = LOCAL,
    json_: Json = False,
) -> None:
    """Create a project over a dataset: what is asked of the crowd, how sure it must be, and what a judgement pays.

    Parameters
    ----------
    name
        The project's name.
    dataset
        The dataset's name or id.
    price
        What a contributor gets for one judgement, as 0.05; a template proposes one, by how long it takes.
    currency
        Three letters.
    template
        What is commonly asked, by its name (see: cupola project templates), or a YAML file of your own. It brings
        questions, guideline, plan, stages and a price; what else is given here goes before it.
    classes
        Choose one of these classes: names with commas between them.
    multiple
        Any number of the classes may be chosen.
    compare
        Items show two candidates, their parts: the classes say that the first is better, that the second is, and, as a
        third, that neither is.
    boxes
        Draw boxes of these classes: names with commas between them.
    text
        Write a text.
    ontology
        A JSON file that says all of this and more.
    guidelines
        What contributors read before they judge: Markdown, or the path of a file.
    target
        The accuracy that a settled label must be worth (0.95).
    min_judgements
        How few people look at a task (1).
    max_judgements
        How many may, before an expert decides (5).
    gold_rate
        The share of a page whose answer is known (0).
    audit_items
        How many items a release's audit draws (300).
    expert_cost
        What an expert's answer costs you, in judgements (10): a further judgement is asked for where it saves more.
    page_size
        Tasks of one page (10).
    reviews
        Stages of review, each with what a judgement there pays: 0.02, or 0.02,0.02 for two. Somebody else accepts or
        fixes what the stage before left.
    """
    asked = (
        proposal.of(template, currency, None if price is None else minor_units(price, currency))
        if template is not None and not any((classes, boxes, multiple, compare, text, ontology))
        else _alone(_spec(classes, boxes, several=multiple, compare=compare, text=text, ontology=ontology), template)
    )
    if price is None and template is None:
        raise invalid("price-missing", "What does a judgement pay?", place="--price", remedy="Give --price, as 0.05.")
    if price is not None:
        asked.offer["price_minor"] = minor_units(price, currency)
    if reviews is not None:
        asked.reviews = [{"price_minor": minor_units(one.strip(), currency)} for one in reviews.split(",")]
    if guidelines:
        asked.guidelines = {"en": answers.words_of(Path(guidelines)) if _is_file(guidelines) else guidelines}
    told = {
        "target_accuracy": target,
        "min_judgements": min_judgements,
        "max_judgements": max_judgements,
        "gold_rate": gold_rate,
        "audit_items": audit_items,
        "expert_cost": expert_cost,
    }
    client = Client(url, key)
    source = moving.named(client, "/api/datasets", dataset)
    version = _asked(client, name, {"spec": asked.spec, "guidelines": asked.guidelines})
    made = client.post(
        "/api/projects",
        {
            "name": name,
            "dataset": source["id"],
            "ontology_version": version,
            "plan": PLAN | asked.plan | {member: value for member, value in told.items() if value is not None},
            "offer": asked.offer | {"currency": currency},
            "page_size": page_size or asked.page_size,
            "reviews": asked.reviews,
        },
    )
    tell(made, json_, f"Project {made['name']} ({made['id']}), a draft.", f"cupola tasks add {quoted(name)}")


def _asked(client: Client, name: str, what: dict[str, Any]) -> str:
    """The version of an ontology that says what is asked; of one that was left by a try that went no further, the next.

    Raises ApiError "name-taken" where there is a project of this name.
    """
    try:
        return str(client.post("/api/ontologies", {"name": name, **what})["version_id"])
    except ApiError as refused:
        if refused.code != "name-taken":
            raise
    if any(one["name"] == name for one in client.every("/api/projects")):
        raise Problem(
            Kind.CONFLICT,
            "name-taken",
            f"There is a project named {name!r}.",
            remedy=f"Choose another name, or go on with it: cupola project show {quoted(name)}",
        )
    there = moving.named(client, "/api/ontologies", name)
    return str(client.post(f"/api/ontologies/{there['id']}/versions", what)["version_id"])


def _alone(spec: Any, template: str | None) -> proposal.Asked:
    if template is not None:
        raise invalid(
            "ontology-unclear",
            "A template says what is asked; so does another option.",
            place="--template",
            remedy="Give either.",
        )
    return proposal.Asked(spec, {"en": ""}, page_size=PAGE_SIZE)


def _is_file(text: str) -> bool:
    try:
        return "\n" not in text and Path(text).is_file()
    except OSError:
        return False  # longer than a path can be


def tasks_add(project: str, *, key: ApiKey, gold: Path | None = None, url: Url = LOCAL, json_: Json = False) -> None:
    """Make a task of each item of the project's dataset; after a further import, of what came new.

    Parameters
    ----------
    project
        The project's name or id.
    gold
        A CSV (ref,label) or JSONL ({"ref", "label"}) of known answers: their tasks become gold.
    """
    client = Client(url, key)
    found = moving.named(client, "/api/projects", project)
    known = None if gold is None else answers.read(gold)
    made = moving.add_tasks(client, found["id"], {}, err if sys.stderr.isatty() else None)
    golds = 0
    if known:
        labels = [{"ref": ref, "label": answers.label(said, found["kind"])} for ref, said in known.items()]
        for start in range(0, len(labels), 1_000):
            part = {"labels": labels[start : start + 1_000]}
            golds += client.post(f"/api/projects/{found['id']}/gold", part)["created"]
    enough = _enough(found, made["created"])
    tell(
        {"project": found["id"], "created": made["created"], "gold": golds, "pre_labels": made["pre_labels"]},
        json_,
        f"{made['created']} new tasks{f', {golds} of them gold' if golds else ''}.{_pre_labels(made['pre_labels'])}",
        f"cupola project launch {quoted(found['name'])} --budget {enough}",
    )


def _pre_labels(found: dict[str, Any] | None) -> str:
    """What became of the pre-labels, where not all of them fit."""
    if found is None or found["whole"] == found["looked_at"]:
        return ""
    lines = [
        f"\nOf {found['looked_at']} pre-labels {found['whole']} fit as they are, {found['in_part']} in part, "
        f"{found['none']} in nothing:"
    ]
    lines += [f"  {one['parts']} x {one['code']}, such as {one['example']}" for one in found["reasons"]]
    return "\n".join(lines)


def _enough(project: dict[str, Any], tasks: int) -> str:
    """An amount that pays for every judgement that may be needed."""
    whole = _each_minor(project) * project["plan"]["max_judgements"] * max(tasks, 1)
    return in_words(whole, project["offer"]["currency"]).partition(" ")[0]


def _each_minor(project: dict[str, Any]) -> int:
    """What one judgement costs, with what stands beside the price."""
    offer = project["offer"]
    return legs(offer["price_minor"], offer["fee_bp"], offer["insurance_bp"]).total_minor


def project_launch(
    project: str, *, key: ApiKey, budget: str | None = None, url: Url = LOCAL, json_: Json = False
) -> None:
    """Give a project money of the organisation's budget, and offer its work to contributors.

    Parameters
    ----------
    project
        The project's name or id.
    budget
        How much, as 50.00; only what is there is ever reserved for work. What is left comes back when it is stopped.
    """
    client = Client(url, key)
    found = moving.named(client, "/api/projects", project)
    amount = None if budget is None else minor_units(budget, found["currency"])
    if amount is None and not found["budget_minor"]:
        raise Problem(
            Kind.INVALID,
            "budget-missing",
            f"The project {found['name']!r} has no money, and nothing is offered without it.",
            place="--budget",
            remedy=f"Give it some: --budget {_enough(found, found['counts']['total'])}",
        )
    if amount is not None:
        client.post(f"/api/projects/{found['id']}/allot", {"amount_minor": amount, "currency": found["currency"]})
    live = found if found["state"] == "live" else client.post(f"/api/projects/{found['id']}/launch")
    tell(
        live,
        json_,
        f"Project {found['name']} is live: {live['counts']['total']} tasks are offered.",
        "cupola contributor create NAME",
        f"cupola work {quoted(found['name'])} --token TOKEN --answers FILE",
        f"cupola project show {quoted(found['name'])}",
    )


def project_list(*, key: ApiKey, url: Url = LOCAL, json_: Json = False) -> None:
    """List the projects of the key's world."""
    client = Client(url, key)
    rows = []
    for row in client.every("/api/projects"):
        rows.append(row)
        if len(rows) == MAX_LISTED:
            break
    text = "\n".join(f"{row['name']} ({row['id']}): {_standing(row)}" for row in rows) or "There are none yet."
    create = "cupola project create NAME --dataset NAME --classes a,b --price 0.05"
    then = [f"cupola project show {quoted(rows[0]['name'])}"] if rows else [create]
    tell({"projects": rows}, json_, text, *then)


def _standing(row: dict[str, Any]) -> str:
    counts = row["counts"]
    return (
        f"{row['state']}, {counts['settled']} of {counts['total']} settled, {counts['escalated']} doubtful, "
        f"{row['judgements']} judgements, {in_words(row['spent_minor'], row['currency'])} paid"
    )


def project_show(
    project: str,
    *,
    key: ApiKey,
    wait_s: float = 0.0,
    url: Url = LOCAL,
    json_: Json = False,
) -> None:
    """How a project stands, and what to do next.

    Parameters
    ----------
    project
        The project's name or id.
    wait_s
        Wait up to so many seconds until every task is settled or waits for an expert.
    """
    client = Client(url, key)
    found = client.get(f"/api/projects/{moving.named(client, '/api/projects', project)['id']}")
    until = clock.monotonic_s() + wait_s
    while _under_way(found) and clock.monotonic_s() < until:
        clock.sleep(POLL_S)
        found = client.get(f"/api/projects/{found['id']}")
    tell(found, json_, f"{found['name']} ({found['id']}): {_standing(found)}", *_then(found))


def _under_way(found: dict[str, Any]) -> bool:
    counts = found["counts"]
    return bool(found["state"] == "live" and counts["open"] + counts["collecting"])


def _then(found: dict[str, Any]) -> list[str]:
    name, counts = quoted(found["name"]), found["counts"]
    if not counts["total"]:
        return [f"cupola tasks add {name}"]
    if found["state"] == "draft":
        return [
            f"cupola project launch {name} --budget {_enough(found, counts['total'])}",
            f"cupola project estimate {name}",
        ]
    if found["state"] == "paused":
        return [f"cupola project resume {name}", f"cupola project stop {name}"]
    if _under_way(found):
        if found["budget_minor"] < _each_minor(found) and not found["reserved_minor"]:
            left = counts["open"] + counts["collecting"]
            return [f"cupola project launch {name} --budget {_enough(found, left)}"]
        doubtful = [f"cupola adjudicate {name} --answers FILE"] if counts["escalated"] else []
        work = f"cupola work {name} --token TOKEN --answers FILE"
        return [work, f"cupola project show {name} --wait-s 60", *doubtful]
    if counts["escalated"]:
        return [f"cupola adjudicate {name} --answers FILE"]
    if counts["settled"]:
        return [f"cupola release {name} --name v1 --items {min(counts['settled'], found['plan']['audit_items'])}"]
    return []
