"""Everything that a contributor is told, against gold: no member of any answer goes with it more than chance allows.

A contributor works over HTTP: looks at the board, claims, saves drafts, sends what is wrong and then what is right,
lets pages expire, reads earnings and statement. Every leaf of what came back about a task (its value, its order, its
length), and every leaf of what came back about a page, is a guess. A leaf that nobody thought of is tested too.

Gold stands on a page at a place that nobody knows beforehand: under the null the golds of a page are any of its tasks
alike: the sum of the golds' ranks by a leaf has a known mean and variance, page by page, ties included (van Elteren
1960). A guess is refused beyond SIGMAS deviations: by chance one leaf in 10^9, so of some hundred leaves of a project
one run in millions. The places are the server's own dice; the contributors' are seeded. The last test shows what real
leaks look like. References and metadata are the owner's words: here they say nothing.
"""

from __future__ import annotations

import json
import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from cupola.platform.pg.cluster import Cluster
from cupola.tasks.model import Plan
from tests.foundry import CHOICE, Foundry, Project, choice, fresh_foundry, moved_clock
from tests.serving import Serving

SIGMAS = 6.1
ITEMS, GOLDS, RATE = 90, 40, 0.3
PEOPLE = 4
BLOCK = 10  # pages of one task are looked at so many at a time
Label = Callable[[str], dict[str, Any]]
TEXT: dict[str, Any] = {"kind": "text"}
FORM: dict[str, Any] = {
    "kind": "form",
    "attributes": [{"name": "tone", "type": "choice", "options": ["kind", "rude"], "required": True}],
}


@dataclass(frozen=True)
class Sort:
    """A kind of project: its ontology, the label of gold, what a worker says, what is no label of it."""

    spec: dict[str, Any]
    gold: dict[str, Any]
    said: dict[str, Any]
    wrong: dict[str, Any]
    parts: bool = False
    pre_label: bool = False


SORTS = {
    "choice": Sort(CHOICE, choice("a"), choice("b"), choice("zebra")),
    "choice with suggestions": Sort(CHOICE, choice("a"), choice("b"), choice("zebra"), pre_label=True),
    "items of parts": Sort(CHOICE, choice("a"), choice("b"), choice("zebra"), parts=True),
    "text": Sort(TEXT, {"kind": "text", "text": "right"}, {"kind": "text", "text": "mine"}, choice("a")),
    "form": Sort(
        FORM,
        {"kind": "form", "answers": {"tone": "kind"}},
        {"kind": "form", "answers": {"tone": "rude"}},
        {"kind": "form", "answers": {"tone": "loud"}},
    ),
}


@dataclass
class Diary:
    """What one contributor saw: of each task, and of each page, every leaf by its path."""

    pages: list[list[str]] = field(default_factory=list)
    of_task: dict[str, dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))
    of_page: list[dict[str, Any]] = field(default_factory=list)

    def note(self, task: str, where: str, value: Any) -> None:
        self.of_task[task].update(dict(leaves(value, where)))


def leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """(path, value) of all that is no container; how many members a container has is a leaf too."""
    if isinstance(value, dict):
        yield f"{path}#", len(value)
        for name, one in value.items():
            yield from leaves(one, f"{path}.{name}")
    elif isinstance(value, list):
        yield f"{path}#", len(value)
        for n, one in enumerate(value[:5]):
            yield from leaves(one, f"{path}[{n}]")
    else:
        yield path, value


def headers(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in ("date", "server")}


@pytest.fixture(scope="module")
def foundry(cluster: Cluster, foundry_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foundry]:
    with fresh_foundry(cluster, foundry_template, tmp_path_factory.mktemp("features")) as opened:
        yield opened


@pytest.fixture(scope="module")
def serving(foundry: Foundry) -> Iterator[Serving]:
    with foundry.http() as url:
        yield Serving(url, foundry.admin_url, foundry.runtime, foundry.loop, None)  # type: ignore[arg-type]


def project_of(foundry: Foundry, sort: Sort, page_size: int, first: bool) -> tuple[Project, set[str]]:
    """Items whose names and sizes say nothing; the gold stands first in the manifest, or last."""
    tenant = foundry.tenant()
    dataset = foundry.dataset(tenant, ITEMS + GOLDS)
    order = "ASC" if first else "DESC"
    foundry.sql("ALTER TABLE item DISABLE TRIGGER USER")
    foundry.sql(
        "UPDATE item SET ref = md5(random()::text), body = repeat('x', 20 + (random() * 80)::int), pre_label = %s, "
        "gold_label = CASE WHEN id IN (SELECT id FROM item WHERE dataset = %s ORDER BY id " + order + " LIMIT %s) "
        "THEN %s END, parts = %s WHERE dataset = %s",
        json.dumps(choice("c")) if sort.pre_label else None,
        dataset,
        GOLDS,
        json.dumps(sort.gold),
        2 if sort.parts else 0,
        dataset,
    )
    foundry.sql("ALTER TABLE item ENABLE TRIGGER USER")
    if sort.parts:
        foundry.sql(
            "INSERT INTO item_part (tenant, item, ordinal, role, sensor, body, media_type, bytes, facts, meta) "
            "SELECT tenant, id, n, 'page', '', body, 'text/plain', length(body), "
            "json_build_object('media_type', 'text/plain')::text, '{}' FROM item, generate_series(0, 1) n "
            "WHERE dataset = %s",
            dataset,
        )
    plan = Plan(0.9, 0.9, 2, 3, RATE)
    project = foundry.project(tenant, plan=plan, spec=sort.spec, dataset=dataset, page_size=page_size)
    gold = {str(row[0]) for row in foundry.sql("SELECT id FROM task WHERE project = %s AND gold", project.id)}
    assert len(gold) == GOLDS
    return project, gold


def work(foundry: Foundry, client: httpx.Client, project: Project, sort: Sort, size: int, dice: random.Random) -> Diary:
    """One contributor's days, until nothing is left or they have seen enough."""
    diary = Diary()
    claim = f"/api/work/projects/{project.id}/claim"
    met = 0
    while met < 60:
        page_told: dict[str, Any] = {}
        board = [one for one in client.get("/api/work/offers").json() if one["project"] == str(project.id)]
        page_told.update(leaves(board, "board"))
        answer = client.post(claim, json={"tasks": size})
        if answer.status_code == 204:
            break
        assert answer.status_code == 200, answer.text
        if dice.random() < 0.25:  # let it expire, and take it again
            with moved_clock(601):
                foundry.expire()
                answer = client.post(claim, json={"tasks": size})
                if answer.status_code == 204:
                    break
        page = answer.json()
        page_told.update(leaves(headers(answer), "claim.headers"))
        page_told.update(leaves({k: v for k, v in page.items() if k != "tasks"}, "page"))
        tasks = [one["task"] for one in page["tasks"]]
        path = f"/api/work/assignments/{page['id']}"
        for n, one in enumerate(page["tasks"]):
            diary.note(one["task"], "claim", {**one, "place": n})
            for where, label in (("draft", sort.said), ("bad draft", {"kind": 7})):
                saved = client.put(
                    f"{path}/drafts/{one['task']}", json={"fence": page["fence"], "label": label, "rev": n + 1}
                )
                diary.note(one["task"], where, [saved.status_code, headers(saved), saved.json() if saved.text else {}])
        again = client.get(path).json()
        for one in again["tasks"]:
            diary.note(one["task"], "again", one)

        def submit(said: dict[str, Any], of: list[str]) -> httpx.Response:
            judgements = [{"task": task, "label": said, "seconds": 4.0} for task in of]
            return client.post(f"{path}/submit", json={"fence": page["fence"], "judgements": judgements})  # noqa: B023

        for task in tasks:
            refused = submit(sort.wrong, [task])
            told = json.loads(refused.text.replace(task, "this"))
            assert refused.status_code == 400, told
            diary.note(task, "refused", [told, headers(refused)])
        done = submit(sort.said, tasks)
        assert done.status_code == 200, done.text
        for n, row in enumerate(done.json()["judgements"]):
            diary.note(row["task"], "paid", {**row, "place": n})
        page_told.update(leaves({k: v for k, v in done.json().items() if k != "judgements"}, "paid"))
        page_told.update(leaves(headers(done), "paid.headers"))
        page_told.update(leaves(client.get("/api/work/earnings").json(), "earnings"))
        diary.pages.append(tasks)
        diary.of_page.append(page_told)
        met += len(tasks)
    statement = client.get("/api/work/statement", params={"limit": 100})
    for row in statement.json().get("items", []) if isinstance(statement.json(), dict) else []:
        if row.get("task") in diary.of_task:
            diary.note(row["task"], "statement", row)
    return diary


def measures(value: Any) -> dict[str, float | str]:
    """In what ways a leaf can be looked at."""
    text = json.dumps(value)
    found: dict[str, float | str] = {"order": text, "length": len(text), "absent": value is None}
    if isinstance(value, int | float):
        found["order"] = float(value)
    return found


def ranks(values: list[Any]) -> list[float]:
    """Ranks from 1, ties sharing theirs; texts and numbers are not compared with each other."""
    ordered = sorted(range(len(values)), key=lambda n: (isinstance(values[n], str), values[n]))
    out = [0.0] * len(values)
    at = 0
    while at < len(ordered):
        end = at
        while end + 1 < len(ordered) and values[ordered[end + 1]] == values[ordered[at]]:
            end += 1
        for n in ordered[at : end + 1]:
            out[n] = (at + end) / 2 + 1
        at = end + 1
    return out


def strength(groups: list[tuple[list[Any], list[bool]]]) -> float:
    """How many deviations the golds' ranks are from what any other tasks of the same pages would have had."""
    off, variance = 0.0, 0.0
    for values, gold in groups:
        n, g = len(values), sum(gold)
        if not 0 < g < n:
            continue
        rank = ranks(values)
        mean = sum(rank) / n
        spread = sum((one - mean) ** 2 for one in rank) / (n - 1)
        off += sum(one for one, is_gold in zip(rank, gold, strict=True) if is_gold) - g * mean
        variance += g * (n - g) / n * spread
    return 0.0 if variance < 1e-9 else off / math.sqrt(variance)


def guesses(diaries: list[Diary], gold: set[str]) -> dict[str, float]:
    """{leaf and way of looking: deviations}, for tasks within a page, and for pages by how much gold they hold."""
    groups: dict[str, list[tuple[list[Any], list[bool]]]] = defaultdict(list)
    for diary in diaries:
        blocks = diary.pages
        if all(len(page) == 1 for page in blocks):
            single = [page[0] for page in blocks]
            blocks = [single[n : n + BLOCK] for n in range(0, len(single), BLOCK)]
        for block in blocks:
            is_gold = [task in gold for task in block]
            for path in {path for task in block for path in diary.of_task[task]}:
                seen = [measures(diary.of_task[task].get(path)) for task in block]
                for way in ("order", "length", "absent"):
                    groups[f"{path} {way}"].append(([one[way] for one in seen], is_gold))
        # pages of one contributor, a handful at a time: the page with more gold than the others of its handful
        for start in range(0, len(diary.pages), BLOCK):
            pages = list(range(start, min(start + BLOCK, len(diary.pages))))
            held = [sum(task in gold for task in diary.pages[n]) for n in pages]
            middle = sorted(held)[len(held) // 2]
            rich = [one > middle for one in held]
            for path in {path for n in pages for path in diary.of_page[n]}:
                seen = [measures(diary.of_page[n].get(path)) for n in pages]
                for way in ("order", "length", "absent"):
                    groups[f"page: {path} {way}"].append(([one[way] for one in seen], rich))
    return {path: strength(found) for path, found in groups.items()}


def crew(serving: Serving, count: int) -> list[httpx.Client]:
    body = {"people": [{"name": f"p{n}"} for n in range(count)], "tokens": True}
    made = serving.operator().client.post("/api/contributors", json=body)
    assert made.status_code == 201, made.text
    return [serving.client(Authorization=f"Bearer {row['token']}") for row in made.json()["items"]]


@pytest.mark.parametrize("size", [1, 10])
@pytest.mark.parametrize("sort", SORTS)
def test_no_leaf_of_any_answer_goes_with_gold(foundry: Foundry, serving: Serving, sort: str, size: int) -> None:
    project, gold = project_of(foundry, SORTS[sort], size, first=size == 10)
    dice = random.Random(f"{sort} {size}")
    diaries = [work(foundry, one, project, SORTS[sort], size, dice) for one in crew(serving, PEOPLE)]
    met = [task for diary in diaries for page in diary.pages for task in page]
    share = sum(task in gold for task in met) / len(met)
    assert len(met) > 100, len(met)
    assert 0.1 < share < 0.6, share
    found = guesses(diaries, gold)
    assert len(found) > 60, sorted(found)
    told = {path: round(by, 1) for path, by in found.items() if abs(by) > SIGMAS}
    assert told == {}


@pytest.mark.parametrize("leak", ["a size", "an order", "a member that is absent", "a count of the page"])
def test_a_leak_is_found(leak: str) -> None:
    """The adversary against answers that do leak: the guess is far beyond what chance allows."""
    dice = random.Random(leak)
    gold: set[str] = set()
    diaries = []
    for who in range(PEOPLE):
        diary = Diary()
        for page in range(6):
            tasks = [f"{who} {page} {n}" for n in range(10)]
            golds = {task for task in tasks if dice.random() < (0.1 if page % 2 else 0.5)}
            gold |= golds
            for task in tasks:
                is_gold = task in golds and dice.random() < 0.95
                told: dict[str, Any] = {"id": dice.random(), "text": "x" * dice.randrange(30)}
                if leak == "a size":
                    told["text"] = "x" * (3 if is_gold else dice.randrange(30))
                elif leak == "an order":
                    told["id"] = dice.random() * (0.3 if is_gold else 1.0)
                elif leak == "a member that is absent" and not is_gold:
                    told["hint"] = "h"
                diary.note(task, "claim", told)
            diary.pages.append(tasks)
            left = 10 - len(golds) if leak == "a count of the page" else dice.randrange(10)
            diary.of_page.append({"board.available": left})
        diaries.append(diary)
    worst = max(abs(by) for by in guesses(diaries, gold).values())
    assert worst > (3.0 if leak == "a count of the page" else SIGMAS), worst
