"""Files as answers: handed in for an item, named by labels, seen by whoever may see the label and by nobody else."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from cupola.kernel import clock, ids, limits
from cupola.kernel.errors import Kind, Problem
from cupola.labels.ontology import FileAnswer
from cupola.platform.blobs import Grant
from cupola.platform.sweeping import service as sweeping
from cupola.platform.web import Member
from cupola.tasks.handing_in import service
from cupola.tasks.model import Assignment
from tests.foundry import Foundry, Project, moved_clock
from tests.tasks.test_stages import accept, page, reviewed, send

PNG = b"\x89PNG\r\n\x1a\n" + b"made up, and never decoded " * 20
FORM = {
    "kind": "form",
    "attributes": [
        {"name": "proof", "type": "file", "required": True, "accepts": ["image", "text"]},
        {"name": "pages", "type": "rows", "columns": [{"name": "scan", "type": "file"}]},
    ],
}


def hand_in(
    foundry: Foundry, person: UUID, on: Assignment, task: UUID, data: bytes = PNG, name: str = "a proof.png"
) -> FileAnswer:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(data), 7):
            yield data[start : start + 7]

    return foundry.call(lambda run: service.hand_in_work(run, person, on.id, task, name, chunks()))


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _stored(foundry: Foundry, project: Project) -> int:
    """How many files the organisation keeps."""

    async def count(run: Any) -> int:
        return len([one async for one in run.blobs.list(project.tenant, before=clock.now() + timedelta(hours=1))])

    return foundry.call(count)


def said(*files: FileAnswer, scans: tuple[FileAnswer, ...] = ()) -> dict[str, Any]:
    def told(file: FileAnswer) -> dict[str, Any]:
        return {"type": "file", "sha256": file.sha256, "name": file.name, "media_type": file.media_type,
                "bytes": file.bytes}  # fmt: skip

    answers: dict[str, Any] = {"proof": told(files[0])}
    if scans:
        answers["pages"] = {"type": "rows", "rows": [{"scan": told(scan)} for scan in scans]}
    return {"kind": "form", "answers": answers}


def judged(foundry: Foundry, person: UUID, on: Assignment, label: dict[str, Any], place: int = 0) -> Any:
    return send(foundry, person, on, [{"task": str(on.tasks[place].task), "label": label, "seconds": 1}])


def opened(foundry: Foundry, url: str, bound_to: str) -> Grant:
    return foundry.call(lambda run: _verified(run, url, bound_to))


async def _verified(run: Any, url: str, bound_to: str) -> Grant:
    grant: Grant = run.blobs.verify(url, bound_to=bound_to)
    return grant


@pytest.fixture
def project(foundry: Foundry) -> Project:
    return reviewed(foundry, 3, spec=FORM)


def test_what_somebody_hands_in_goes_with_their_label_to_the_reviewer_who_may_accept_it(
    foundry: Foundry, project: Project
) -> None:
    drawer, reviewer = foundry.people(2)
    drawn = page(foundry, drawer, project, 0, 1)
    task = drawn.tasks[0].task
    file, scan = hand_in(foundry, drawer, drawn, task), hand_in(foundry, drawer, drawn, task, b"a page", "scan.txt")
    assert (file.media_type, file.bytes, scan.media_type) == ("image/png", len(PNG), "text/plain")
    url = foundry.call(lambda run: service.address_for_work(run, drawer, drawn.id, task, file.sha256))
    assert opened(foundry, url, f"person:{drawer}").media_type == "image/png"
    assert judged(foundry, drawer, drawn, said(file, scans=(scan, file))).paid_minor == 10
    foundry.hear()
    under = page(foundry, reviewer, project, 1)
    seen = json.loads(bytes(under.tasks[0].pre_label or b""))
    assert seen == said(file, scans=(scan, file))
    url = foundry.call(lambda run: service.address_for_work(run, reviewer, under.id, task, file.sha256))
    with pytest.raises(Problem):
        opened(foundry, url, f"person:{drawer}")  # bound to whoever asked
    assert accept(foundry, reviewer, under).paid_minor == 4
    foundry.hear()
    [(label,)] = foundry.sql("SELECT label FROM settlement WHERE project = %s", project.id)
    assert json.loads(label) == said(file, scans=(scan, file))
    foundry.sound()


def test_a_label_names_only_what_was_handed_in_for_its_item_and_exactly_so(foundry: Foundry, project: Project) -> None:
    mine, other = foundry.people(2)
    held, theirs = page(foundry, mine, project, 0, 2), page(foundry, other, project, 0, 1)
    first, second = (one.task for one in held.tasks)
    file = hand_in(foundry, mine, held, first)
    foreign = hand_in(foundry, other, theirs, theirs.tasks[0].task, b"of somebody else", "x.txt")
    made_up = FileAnswer("0" * 64, "a.png", "image/png", 10)
    renamed = FileAnswer(file.sha256, "invoice.png", file.media_type, file.bytes)
    retyped = FileAnswer(file.sha256, file.name, "text/plain", file.bytes)
    for place, wrong in ((1, file), (0, foreign), (0, made_up), (0, renamed), (0, retyped)):
        with pytest.raises(Problem) as refused:
            judged(foundry, mine, held, said(wrong), place)
        assert (refused.value.code, refused.value.place) == ("answer-file-unknown", "/judgements/0/label/answers/proof")
    with pytest.raises(Problem) as refused:
        judged(foundry, mine, held, said(file, scans=(file, foreign)))
    assert refused.value.place == "/judgements/0/label/answers/pages/rows/1/scan"
    # nobody reads by a hash what is not theirs to see
    for who, on, task, sha256 in (
        (mine, held, theirs.tasks[0].task, foreign.sha256),
        (mine, held, first, foreign.sha256),
        (other, theirs, first, file.sha256),
        (mine, held, second, file.sha256),
        (mine, held, first, "../../secret"),
    ):
        with pytest.raises(Problem) as refused:
            foundry.call(partial(service.address_for_work, person=who, assignment=on.id, task=task, sha256=sha256))
        assert refused.value.kind is Kind.NOT_FOUND
    with pytest.raises(Problem) as refused:
        hand_in(foundry, mine, held, theirs.tasks[0].task)
    assert refused.value.kind is Kind.NOT_FOUND
    assert judged(foundry, mine, held, said(file)).paid_minor == 10
    with pytest.raises(Problem):
        hand_in(foundry, mine, held, first)  # paid: nothing is added any more


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "answer-file-empty"),
        (b"MZ\x90\0\x03\0\0\0", "answer-file-type"),
        (b"\x7fELF\2\1\1\0", "answer-file-type"),
        (b"  <!DOCTYPE html><script>alert(1)</script>", "answer-file-type"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "answer-file-type"),
        (b'\n<?xml version="1.0"?><svg onload="alert(1)"/>', "answer-file-type"),
        (b"\0\1\2\3", "answer-file-type"),
        (b"\xff\xfe\x41", "answer-file-type"),
        (b"   \n", "answer-file-type"),
    ],
)
def test_a_file_is_what_its_bytes_say_and_nothing_else_is_taken(
    foundry: Foundry, project: Project, data: bytes, code: str
) -> None:
    person = foundry.person()
    held = page(foundry, person, project, 0, 1)
    with pytest.raises(Problem) as refused:
        hand_in(foundry, person, held, held.tasks[0].task, data, "photo.png")
    assert refused.value.code == code
    assert foundry.sql("SELECT count(*) FROM handed_in WHERE tenant = %s", project.tenant) == [(0,)]


def test_files_have_a_size_and_a_number_that_are_not_passed(
    foundry: Foundry, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = foundry.person()
    held = page(foundry, person, project, 0, 1)
    task = held.tasks[0].task
    monkeypatch.setattr(limits, "MAX_ANSWER_FILE_BYTES", 100)
    monkeypatch.setattr(limits, "MAX_ANSWER_FILES", 2)
    with pytest.raises(Problem) as refused:
        hand_in(foundry, person, held, task, b"a" * 101, "a.txt")
    assert refused.value.code == "answer-file-large"
    for name in ("a.txt", "b.txt"):
        hand_in(foundry, person, held, task, b"a" * 100, name)
    with pytest.raises(Problem) as refused:
        hand_in(foundry, person, held, task, b"c", "c.txt")
    assert refused.value.code == "answer-files-many"


def test_what_one_person_hands_in_within_a_day_has_a_bound_and_what_is_beyond_it_is_not_kept(
    foundry: Foundry, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, other = foundry.people(2)
    held, theirs = page(foundry, person, project, 0, 2), page(foundry, other, project, 0, 1)
    first, second = (one.task for one in held.tasks)
    monkeypatch.setattr(limits, "MAX_ANSWER_BYTES_A_DAY", 250)
    hand_in(foundry, person, held, first, b"a" * 100, "a.txt")
    hand_in(foundry, person, held, second, b"b" * 100, "b.txt")
    stored = _stored(foundry, project)
    for data in (b"c" * 51, b"d" * 5_000):  # all items of theirs together; one beyond the room and one far beyond it
        with pytest.raises(Problem) as refused:
            hand_in(foundry, person, held, second, data, "c.txt")
        assert refused.value.code == "answer-files-much"
    hand_in(foundry, person, held, second, b"e" * 50, "e.txt")
    with pytest.raises(Problem) as refused:
        hand_in(foundry, person, held, first, b"f", "f.txt")
    assert refused.value.code == "answer-files-much"
    assert _stored(foundry, project) == stored + 1
    hand_in(foundry, other, theirs, theirs.tasks[0].task, b"g" * 250, "g.txt")  # a bound of each
    with moved_clock(24 * 3_600.0 + 1):  # nobody has swept the lease
        hand_in(foundry, person, held, first, b"k" * 250, "k.txt")
    # a member is bound as a contributor is
    [(item,)] = foundry.sql("SELECT item FROM task WHERE id = %s", first)
    owner = Member("owner", project.tenant, "owner", ids.uuid7(), "live")
    with pytest.raises(Problem) as refused:
        foundry.call(lambda run: service.hand_in(run, owner, item, "h.txt", _pieces(b"h" * 251)))
    assert refused.value.code == "answer-files-much"
    foundry.call(lambda run: service.hand_in(run, owner, item, "i.txt", _pieces(b"i" * 250)))
    with pytest.raises(Problem) as refused:
        foundry.call(lambda run: service.hand_in(run, owner, item, "j.txt", _pieces(b"j")))
    assert refused.value.code == "answer-files-much"


def test_a_file_of_nobody_who_said_anything_goes_and_what_a_label_may_name_stays(
    foundry: Foundry, project: Project
) -> None:
    person, gone = foundry.people(2)
    held = page(foundry, person, project, 0, 1)
    used, beside = (hand_in(foundry, person, held, held.tasks[0].task, PNG + end, "p.png") for end in (b"1", b"2"))
    judged(foundry, person, held, said(used))
    left = page(foundry, gone, project, 0, 1)
    unused = hand_in(foundry, gone, left, left.tasks[0].task)

    def swept() -> set[str]:
        foundry.call(lambda run: sweeping.sweep(run.db))
        return {sha.hex() for (sha,) in foundry.sql("SELECT sha256 FROM handed_in WHERE tenant = %s", project.tenant)}

    assert swept() == {used.sha256, beside.sha256, unused.sha256}
    with moved_clock(91 * 86_400.0):
        assert swept() == {used.sha256, beside.sha256}  # a later label of theirs may name what lies beside


def test_what_a_label_names_outlives_the_sweep_of_files(foundry: Foundry, project: Project) -> None:
    person = foundry.person()
    held = page(foundry, person, project, 0, 1)
    file = hand_in(foundry, person, held, held.tasks[0].task)
    named = foundry.as_tenant(
        project.tenant, "SELECT blobs_named(%s::text[], %s::bigint[])", [file.sha256, "f" * 64], [file.bytes, 1]
    )
    assert named == [(file.sha256,)]
