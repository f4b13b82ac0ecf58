"""Drafts by difference: what is kept is what was drawn, whatever answers were lost and whoever wrote between."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cupola.kernel import limits
from cupola.kernel.errors import Kind, Problem
from cupola.tasks import drafting, drafts, work
from tests.foundry import Foundry, Project, moved_clock

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "differences.json").read_text())
SPEC: dict[str, Any] = {"kind": "objects", "classes": [{"name": "mask"}]}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_difference_laid_on_a_label_gives_the_other_label(case: dict[str, Any]) -> None:
    """The same table is run by the browser's suite, in both directions."""
    change = msgspec.json.decode(json.dumps(case["change"]), type=drafts.Change)
    drafts.check(change)
    found = json.loads(drafts.changed(json.dumps(case["before"]).encode(), change))
    assert {name: found[name] for name in case["after"]} == case["after"]


@pytest.mark.parametrize(
    "change",
    [
        {"is": "objects", "put": [[1, {"id": "a"}], [1, {"id": "b"}]], "gone": []},
        {"is": "objects", "put": [[0, {"id": 7}]], "gone": []},
        {"is": "objects", "put": [[0, "a"]], "gone": []},
        {"is": "text", "from": -1, "drop": 0, "put": ""},
        {"is": "text", "from": 0, "drop": 0, "put": "\x00"},
    ],
)
def test_a_difference_that_no_editor_makes_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Problem) as caught:
        drafts.check(msgspec.json.decode(json.dumps(change), type=drafts.Change))
    assert caught.value.place.startswith("/change")
    assert caught.value.remedy


class Editor:
    """One opened editor of a task: draws, sends differences, and hears answers or does not."""

    def __init__(self, foundry: Foundry, project: Project, person: Any, page: Any, writer: str) -> None:
        self.foundry, self.project, self.person, self.page, self.writer = foundry, project, person, page, writer
        self.objects: list[dict[str, Any]] = []
        self.rev = 0
        self.sent_bytes = 0

    def send(self, body: dict[str, Any]) -> Any:
        told = json.dumps({"fence": self.page.fence, "writer": self.writer, **body}).encode()
        self.sent_bytes = len(told)
        verb = drafting.change if "change" in body else drafting.keep
        return self.foundry.call(lambda run: verb(run, self.person, self.page.id, self.page.tasks[0].task, told))

    def whole(self) -> Any:
        self.rev += 1
        return self.send({"rev": self.rev, "label": {"kind": "objects", "objects": self.objects}})

    def put(self, base: int, at: int, thing: dict[str, Any]) -> Any:
        """Changes or adds one object, and sends the difference."""
        self.objects[at : at + 1] = [thing]
        self.rev += 1
        return self.send({"base": base, "rev": self.rev, "change": {"is": "objects", "put": [[at, thing]], "gone": []}})

    @property
    def kept(self) -> list[dict[str, Any]]:
        return list(self.page_task().get("objects", []))

    def page_task(self) -> dict[str, Any]:
        shown = self.foundry.call(lambda run: work.one_page(run, self.person, self.page.id))
        found: dict[str, Any] = json.loads(bytes(shown.tasks[0].draft))
        return found


@pytest.fixture
def editor(foundry: Foundry) -> Editor:
    project = foundry.project(foundry.tenant(), 2, spec=SPEC)
    person = foundry.person()
    return Editor(foundry, project, person, foundry.claim(person, project), "one")


def refused(editor: Editor, change: dict[str, Any]) -> bool:
    try:
        editor.send(change)
    except Problem as problem:
        if problem.code != "draft-base-missing":
            raise
        return True
    return False


def mask(name: str, size: int = 20, seed: int = 0) -> dict[str, Any]:
    return {"id": name, "cls": "mask", "rle": "".join(random.Random(f"{name}{seed}").choices("0123456789", k=size))}


def test_one_corner_of_one_of_fifty_masks_is_one_mask_on_its_way_and_in_the_table(editor: Editor) -> None:
    editor.objects = [mask(str(n), 40_000) for n in range(50)]
    assert editor.whole().rev == 1
    assert editor.sent_bytes > 2_000_000
    for step in range(5):
        held = editor.put(editor.rev, 7, mask("7", 40_000, step))
        assert (held.rev, held.writer) == (editor.rev, "one")
        assert editor.sent_bytes < 41_000
    assert editor.kept == editor.objects
    [(whole, patches)] = editor.foundry.sql(
        "SELECT label_bytes(label), (SELECT sum(octet_length(x)) FROM unnest(patches) x) FROM draft "
        "WHERE writer = 'one' AND tenant = (SELECT tenant FROM assignment WHERE id = %s)",
        editor.page.id,
    )
    assert whole > 2_000_000, "what was kept whole stays as it was"
    assert patches < 5 * 41_000


def test_a_lost_answer_costs_nothing_the_next_difference_holds_it(editor: Editor) -> None:
    editor.objects = [mask("a"), mask("b")]
    editor.whole()
    editor.put(1, 0, mask("a", seed=1))  # kept, but the answer never came: rev 2
    editor.objects[1] = mask("b", seed=2)
    editor.rev += 1
    both = [[0, editor.objects[0]], [1, editor.objects[1]]]
    body = {"base": 1, "rev": 3, "change": {"is": "objects", "put": both, "gone": []}}
    assert editor.send(body).rev == 3
    assert editor.kept == editor.objects
    assert editor.send(body).rev == 3, "sent twice is sent once"
    late = {"base": 1, "rev": 2, "change": {"is": "objects", "put": [], "gone": ["a", "b"]}}
    assert editor.send(late).rev == 3, "an older one that arrives late changes nothing"
    assert editor.kept == editor.objects


def test_a_difference_from_what_is_not_here_asks_for_the_whole(editor: Editor) -> None:
    with pytest.raises(Problem) as nothing:
        editor.put(1, 0, mask("a"))
    assert (nothing.value.code, nothing.value.kind) == ("draft-base-missing", Kind.CONFLICT)
    editor.whole()
    with pytest.raises(Problem) as other:
        editor.put(77, 0, mask("a", seed=1))
    assert other.value.extra["rev"] == 2
    assert editor.whole().rev == editor.rev
    assert editor.kept == editor.objects


def test_another_editors_work_is_never_mixed_with_mine(foundry: Foundry, editor: Editor) -> None:
    """Two tabs of one person: revisions may be the same, what they name is not."""
    other = Editor(foundry, editor.project, editor.person, editor.page, "two")
    editor.objects, other.objects = [mask("a"), mask("b")], [mask("x")]
    editor.whole()
    other.rev = 1
    assert other.whole().rev == 2
    with pytest.raises(Problem, match="not here any more"):
        editor.put(1, 0, mask("a", seed=1))
    assert editor.kept == other.objects
    # one that is behind is told whose work stands, and may come after it
    editor.rev = 0
    held = editor.whole()
    assert (held.rev, held.writer) == (2, "two")
    editor.rev = held.rev
    editor.whole()
    assert editor.kept == editor.objects


def test_a_client_that_knows_no_differences_goes_on_as_before(editor: Editor) -> None:
    body = json.dumps({"fence": editor.page.fence, "rev": 4, "label": {"kind": "objects", "objects": []}}).encode()
    person, page = editor.person, editor.page
    held = editor.foundry.call(lambda run: drafting.keep(run, person, page.id, page.tasks[0].task, body))
    assert (held.rev, held.writer) == (4, "")


def test_any_line_of_differences_lost_answers_and_gatherings_keeps_what_was_last_acknowledged(editor: Editor) -> None:
    rng = random.Random(3)
    editor.objects = [mask(str(n)) for n in range(6)]
    editor.whole()
    base, acknowledged = 1, list(editor.objects)
    for step in range(3 * limits.MAX_DRAFT_PATCHES):
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(editor.objects) + 1)
            if at < len(editor.objects):
                thing = editor.objects[at]
                editor.objects[at : at + 1] = [] if rng.random() < 0.3 else [mask(thing["id"], seed=step)]
            else:
                editor.objects.insert(rng.randrange(at + 1), mask(f"{step}-{len(editor.objects)}"))
        editor.rev += 1
        # said as plainly as a difference can be: everything in its place
        put = [[at, thing] for at, thing in enumerate(editor.objects)]
        gone = [thing["id"] for thing in acknowledged if thing["id"] not in {one["id"] for one in editor.objects}]
        change = {"base": base, "rev": editor.rev, "change": {"is": "objects", "put": put, "gone": gone}}
        if refused(editor, change):  # gathered since the last answer that was heard
            editor.whole()
        assert editor.kept == editor.objects
        if rng.random() < 0.7:
            base, acknowledged = editor.rev, list(editor.objects)
    [(patches,)] = editor.foundry.sql("SELECT max(cardinality(patches)) FROM draft")
    assert patches < limits.MAX_DRAFT_PATCHES


def test_differences_come_back_with_a_page_that_expired_and_go_with_what_is_submitted(editor: Editor) -> None:
    foundry = editor.foundry
    editor.objects = [mask("a")]
    editor.whole()
    editor.put(1, 0, mask("a", seed=1))
    with moved_clock(601):
        foundry.expire()
        back = foundry.claim(editor.person, editor.project, 1)
    assert json.loads(bytes(back.tasks[0].draft))["objects"] == editor.objects
    assert back.tasks[0].draft_rev == 2


def test_what_is_too_large_as_a_label_is_too_large_as_a_difference(editor: Editor) -> None:
    editor.whole()
    with pytest.raises(Problem) as caught:
        editor.put(1, 0, mask("a", limits.MAX_DRAFT_BYTES))
    assert (caught.value.kind, caught.value.code) == (Kind.TOO_LARGE, "draft-too-large")
