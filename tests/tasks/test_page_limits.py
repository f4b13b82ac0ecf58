"""Limits fit together: what could be claimed can be drawn, kept, shown and submitted."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import msgspec

from cupola.kernel import limits
from cupola.tasks import drafting, work
from cupola.tasks.model import Assignment, Plan
from tests.foundry import Foundry, Project
from tests.tasks.test_stages import reviewed

MIB = 1024 * 1024
TEXT: dict[str, Any] = {"kind": "text"}


def test_each_limit_leaves_room_for_what_it_must_hold() -> None:
    envelope = 64 * 1024  # the rest of a body: identifiers, a fence, seconds
    # a label, drafted or submitted by itself, is one body; what can be drafted can be submitted
    assert limits.MAX_LABEL_BYTES + envelope <= limits.MAX_BODY_BYTES
    assert limits.MAX_DRAFT_BYTES == limits.MAX_LABEL_BYTES
    # a draft may be a label, and all its differences together are in the bound of all drafts
    assert limits.MAX_DRAFT_BYTES <= limits.MAX_DRAFTS_BYTES
    # the heaviest item there can be, with the heaviest label before it or under review, is a page by itself
    item = limits.MAX_TEXT_ITEM_BYTES + 2 * limits.MAX_METADATA_BYTES
    assert item + 2 * limits.MAX_LABEL_BYTES <= limits.MAX_PAGE_BYTES
    # texts at their longest, in letters of four bytes, are labels
    assert 4 * limits.MAX_TEXT_CHARS + envelope <= limits.MAX_LABEL_BYTES
    # a label that came with an item was a line of a manifest; all bodies that are read at once hold the largest
    assert limits.MAX_MANIFEST_LINE_BYTES <= limits.MAX_LABEL_BYTES
    assert limits.MAX_BODY_BYTES <= limits.MAX_BODIES_BYTES
    # what stands in a row is little beside a label, or nothing would be gained
    assert limits.MAX_ROW_LABEL_BYTES * 10 <= limits.MAX_LABEL_BYTES
    assert limits.MAX_PAGE_TASKS * limits.MAX_ROW_LABEL_BYTES <= limits.MAX_PAGE_BYTES


def with_bodies(foundry: Foundry, items: int, body_bytes: int, pre_label_bytes: int = 0, **project: Any) -> Project:
    """A project of texts, each so long, some with a label that came with them."""
    tenant = foundry.tenant()
    dataset = foundry.dataset(tenant, items, project.pop("gold", None))
    label = json.dumps({"kind": "text", "text": ""})
    foundry.sql(
        "UPDATE item SET body = repeat('w', %s), "
        "pre_label = CASE WHEN %s > 0 THEN %s::text || repeat('p', %s) || %s END WHERE tenant = %s",
        *(body_bytes, pre_label_bytes, label[:-2], max(pre_label_bytes - len(label), 0), label[-2:], tenant),
    )  # fmt: skip
    return foundry.project(tenant, items, dataset=dataset, **project)


def answered(page: Assignment) -> int:
    """Bytes of the answer that carries the page."""
    return len(msgspec.json.encode(page))


def pages_of(foundry: Foundry, person: UUID, project: Project) -> list[Assignment]:
    """Claims until nothing is left; what is claimed stays held."""
    found: list[Assignment] = []
    while (page := foundry.call(lambda run: work.claim(run, person, project.id, None, None))) is not None:
        found.append(page)
    return found


def test_a_claim_takes_as_many_heavy_tasks_as_fit_and_the_others_come_next(foundry: Foundry) -> None:
    project = with_bodies(foundry, 23, 2 * MIB - 100, MIB, spec=TEXT, page_size=20)
    person = foundry.person()
    pages = pages_of(foundry, person, project)
    assert [len(page.tasks) for page in pages] == [8, 8, 7], "three megabytes each, of 24"
    assert max(map(answered, pages)) < limits.MAX_PAGE_BYTES + limits.MAX_DRAFTS_BYTES
    claimed = [task.task for page in pages for task in page.tasks]
    assert sorted(claimed) == sorted(project.tasks), "none is passed over, none comes twice"
    assert [set(claimed[:8]), set(claimed[8:16])] == [set(project.tasks[:8]), set(project.tasks[8:16])]
    shown = foundry.call(lambda run: work.open_pages(run, person))
    assert 1 <= len(shown) < 3, "as many pages as fit into one answer; each by itself has its own"
    assert all(foundry.call(lambda run, p=page: work.one_page(run, person, p.id)).tasks for page in pages)


def test_light_tasks_fill_a_page_beside_a_heavy_one(foundry: Foundry) -> None:
    project = with_bodies(foundry, 12, 2_000, spec=TEXT, page_size=12)
    foundry.sql(
        "UPDATE item SET body = repeat('w', 2000000) WHERE id = (SELECT item FROM task WHERE id = %s)", project.tasks[4]
    )
    foundry.sql("UPDATE project SET heaviest_bytes = 2000000 WHERE id = %s", project.id)
    assert len(foundry.claim(foundry.person(), project).tasks) == 12


def test_gold_stays_in_its_places_where_pages_are_cut(foundry: Foundry) -> None:
    gold = dict.fromkeys(range(0, 30, 2), "a")
    project = with_bodies(foundry, 30, 2 * MIB - 100, gold=gold, page_size=30, plan=Plan(0.9, 0.9, 1, 1, 0.5))
    person = foundry.person()
    seen: list[UUID] = []
    for _ in range(6):
        page = foundry.call(lambda run: work.claim(run, person, project.id, None, None))
        if page is None:
            break
        assert 1 <= len(page.tasks) <= 12
        seen += [task.task for task in page.tasks]
        foundry.submit(person, page)
    assert len(seen) == len(set(seen))
    [(golds,)] = foundry.sql("SELECT count(*) FROM task WHERE gold AND id = ANY (%s)", seen)
    assert golds >= 3
    assert len(seen) - golds == 15, "all that is work was served"


def test_what_is_under_review_is_weighed_too(foundry: Foundry) -> None:
    project = reviewed(foundry, 4, spec=TEXT, price=1, reviews=(1,))
    person = foundry.person()
    page = foundry.claim(person, project)
    for task in page.tasks:
        told = said(page, task.task, {"kind": "text", "text": "a"})
        foundry.call(lambda run, d=told: work.submit(run, person, page.id, d))
    foundry.hear()
    # as if each had said all that a label may: longer than any text is, so nobody can send it as one
    foundry.sql(
        "ALTER TABLE judgement DISABLE TRIGGER ALL; "
        'UPDATE judgement SET label = \'{"kind":"text","text":"\' || repeat(\'y\', 8000000) || \'"}\' '
        f"WHERE tenant = '{project.tenant}'; ALTER TABLE judgement ENABLE TRIGGER ALL"
    )
    reviewer = foundry.person()
    shown = foundry.call(lambda run: work.claim(run, reviewer, project.id, None, None, stage=1))
    assert shown is not None
    assert len(shown.tasks) == 3


def said(page: Assignment, task: UUID, label: Any) -> bytes:
    judged = [{"task": str(task), "label": label, "seconds": 9.0}]
    return json.dumps({"fence": page.fence, "judgements": judged}).encode()


def test_the_largest_page_is_drawn_kept_shown_and_submitted(foundry: Foundry) -> None:
    """Fifty tasks as heavy as fit, each with as much drawn as may be kept."""
    each = limits.MAX_PAGE_BYTES // limits.MAX_PAGE_TASKS
    spec = {"kind": "objects", "classes": [{"name": "a"}]}
    project = with_bodies(foundry, 50, each - 1_000, page_size=limits.MAX_PAGE_TASKS, spec=spec)
    person = foundry.person()
    page = foundry.claim(person, project, limits.MAX_PAGE_TASKS)
    assert len(page.tasks) == limits.MAX_PAGE_TASKS
    drawn = limits.MAX_DRAFTS_BYTES // limits.MAX_PAGE_TASKS
    shapes: list[dict[str, Any]] = []
    while len(json.dumps(shapes)) < drawn - 2_000:
        shapes += [
            {"id": f"o{len(shapes) + n}", "cls": "a", "shape": {"type": "box", "x": n, "y": n, "w": 9, "h": 9}}
            for n in range(20)
        ]
    label = {"kind": "objects", "objects": shapes}
    for task in page.tasks:
        told = json.dumps({"fence": page.fence, "rev": 1, "label": label}).encode()
        assert len(told) <= drawn + 200
        foundry.call(lambda run, t=task.task, d=told: drafting.keep(run, person, page.id, t, d))
    shown = foundry.call(lambda run: work.one_page(run, person, page.id))
    assert all(task.draft is not None for task in shown.tasks)
    assert answered(shown) > limits.MAX_PAGE_BYTES + limits.MAX_DRAFTS_BYTES - 3 * MIB
    assert len(foundry.call(lambda run: work.open_pages(run, person))) == 1
    for start in range(0, 50, 10):  # as the browser sends it, a few at a time
        some = shown.tasks[start : start + 10]
        judged = [{"task": str(task.task), "label": json.loads(bytes(task.draft)), "seconds": 1.0} for task in some]
        told = json.dumps({"fence": page.fence, "judgements": judged}).encode()
        assert len(told) < limits.MAX_BODY_BYTES
        foundry.call(lambda run, d=told: work.submit(run, person, page.id, d))
    sums = "SELECT count(*), sum(label_bytes(label)) > 14000000 FROM judgement WHERE tenant = %s"
    assert foundry.sql(sums, project.tenant) == [(50, True)]
