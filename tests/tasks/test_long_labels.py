"""A label too long for its row lies in a blob, and nobody who reads or judges it can tell."""

from __future__ import annotations

import hashlib
import json
import math
import signal
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cupola.catalog import service as catalog
from cupola.catalog.media.base import Probe
from cupola.catalog.rows import Taken, row_of
from cupola.kernel import ids, limits
from cupola.kernel.errors import Kind, Problem
from cupola.labels import decode_label, decode_ontology, encode
from cupola.platform import backup
from cupola.platform.pg import long
from cupola.platform.pg.cluster import Cluster
from cupola.platform.sweeping import files
from cupola.quality import adjudication, store
from cupola.quality.opinions import service as opinions
from cupola.quality.opinions.model import Given
from cupola.releases import exporting, service, verifying
from cupola.releases.model import AuditAsked
from cupola.tasks import drafting, pre_labels, work
from cupola.tasks import service as tasks
from cupola.tasks.model import Plan
from tests.foundry import Foundry, Project, fresh_foundry, moved_clock
from tests.releases.test_release import bundle, declare
from tests.tasks.test_stages import reviewed

SPEC: dict[str, Any] = {"kind": "objects", "classes": [{"name": "tree"}]}
TWO = Plan(0.6, 0.9, 2, 2, 0.0)


def trees(count: int = 50, corners: int = limits.MAX_POINTS_PER_SHAPE, shift: float = 0.0) -> dict[str, Any]:
    """So many round outlines in a row."""

    def outline(n: int) -> list[list[float]]:
        turns = [2 * math.pi * k / corners for k in range(corners)]
        return [[n * 100 + 40 + shift + 30 * math.cos(t), 40 + 30 * math.sin(t)] for t in turns]

    shapes = [{"type": "polygon", "points": outline(n)} for n in range(count)]
    return {"kind": "objects", "objects": [{"id": f"o{n}", "cls": "tree", "shape": s} for n, s in enumerate(shapes)]}


def body(page: Any, label: Any, only: int | None = None) -> bytes:
    chosen = page.tasks if only is None else page.tasks[:only]
    judged = [{"task": str(one.task), "label": label, "seconds": 9.0} for one in chosen]
    return json.dumps({"fence": page.fence, "judgements": judged}).encode()


def canonical(label: Any) -> bytes:
    return bytes(encode(decode_label(json.dumps(label).encode())))


def blob(foundry: Foundry, project: Project, label: Any) -> Path:
    root = foundry.runtime.settings.data_dir / "blobs"
    return Path(root) / str(project.tenant) / hashlib.sha256(canonical(label)).hexdigest()


def columns(foundry: Foundry, project: Project) -> dict[str, list[str]]:
    """What each column of a label holds, of this tenant."""
    found = {}
    for table in ("judgement", "settlement", "settlement_part", "adjudication", "audit_judgement", "gold", "draft"):
        rows = foundry.sql(f"SELECT label FROM {table} WHERE tenant = %s AND label IS NOT NULL", project.tenant)
        found[table] = [row[0] for row in rows]
    return found


def test_three_megabytes_of_outlines_go_all_the_way_and_come_back_from_a_backup(
    foundry: Foundry, cluster: Cluster, tmp_path: Path
) -> None:
    label = trees()
    text = canonical(label)
    assert 3_000_000 < len(text) < limits.MAX_LABEL_BYTES
    project = foundry.project(foundry.tenant(), 3, spec=SPEC, plan=TWO)
    people = [foundry.person(), foundry.person()]
    pages = [foundry.claim(person, project) for person in people]
    said = [label, trees(shift=0.25)]
    for person, page, one in zip(people, pages, said, strict=True):
        draft = json.dumps({"fence": page.fence, "rev": 1, "label": one}).encode()
        first = page.tasks[0].task
        foundry.call(lambda run, p=person, a=page, t=first, d=draft: drafting.keep(run, p, a.id, t, d))
        shown = foundry.call(lambda run, p=person, a=page: work.one_page(run, p, a.id))
        assert json.loads(bytes(shown.tasks[0].draft)) == one
    # drawn by two, who agree on all but the last; one after the other, for comparing outlines takes its time
    for n, task in enumerate(project.tasks):
        for person, page, one in zip(people, pages, said if n < 2 else [label, trees(shift=50.0)], strict=True):
            judged = [{"task": str(task), "label": one, "seconds": 9.0}]
            told = json.dumps({"fence": page.fence, "judgements": judged}).encode()
            done = foundry.call(lambda run, p=person, a=page, b=told: work.submit(run, p, a.id, b))
            assert done.paid_minor == 10
        foundry.hear()
    foundry.sql("UPDATE task SET state = 2, open_slots = 0 WHERE id = %s AND state < 3", project.tasks[2])

    async def decide(conn: Any) -> None:
        await adjudication.adjudicate(conn, project.tenant, project.tasks[2], None, label, False, "seen twice")

    foundry.app(project.tenant, decide)
    held = columns(foundry, project)
    assert len(held["judgement"]) == 6
    assert len(held["settlement"]) >= 3
    assert len(held["settlement_part"]) >= 100, "each outline is a part of its own"
    assert {value[0] for name in ("judgement", "adjudication") for value in held[name]} == {"@"}
    assert long.reference(text) in held["settlement"], "beside merged ones, which have fewer corners"
    assert max(len(value) for values in held.values() for value in values) <= limits.MAX_ROW_LABEL_BYTES
    sums = foundry.sql("SELECT label_sha256 FROM judgement WHERE label = %s", long.reference(text))
    assert {bytes(row[0]) for row in sums} == {hashlib.sha256(text).digest()}, "the hash is that of the label"

    # decided again, seen, released, audited, certified, exported
    again = foundry.app(
        project.tenant, lambda c: tasks.task_detail(c, foundry.runtime, project.tenant, project.tasks[0], "me")
    )
    assert again.judgements[0].label["objects"][49]["shape"]["points"]
    assert len(again.settlements[-1].parts) == 50
    declared = declare(foundry, project, "trees", AuditAsked(3, 0.95, 0.6))
    release = foundry.app(
        project.tenant, lambda conn: service.freeze(conn, foundry.runtime, project.tenant, declared.id)
    )

    async def audit(conn: Any) -> None:
        rows = await service.next_items(conn, foundry.runtime, project.tenant, release.id, 10, None, "me")
        for row, _ in rows:
            await service.judge(conn, project.tenant, release.id, row.id, None, label, False, 5.0)

    foundry.app(project.tenant, audit)
    done = foundry.app(
        project.tenant, lambda conn: service.certify_release(conn, foundry.runtime, project.tenant, release.id)
    )
    assert done.certificate is not None
    assert done.certificate.errors == 0
    file = bundle(foundry, project, release.id, tmp_path / "trees.zip")
    assert verifying.verify(file).wrong == []
    export = foundry.app(
        project.tenant, lambda conn: exporting.start(conn, foundry.runtime, project.tenant, release.id, "jsonl", "me")
    )
    foundry.call(lambda run: exporting.run_export(run, project.tenant, export.id))
    [(state, exported)] = foundry.sql("SELECT state, sha256 FROM export WHERE id = %s", export.id)
    assert state == "done"
    lines = foundry.call(lambda run: run.blobs.get(project.tenant, bytes(exported).hex())).splitlines()
    assert [len(json.loads(line)["label"]["objects"]) for line in lines] == [50, 50, 50]

    # and all of it from a backup, elsewhere
    backup.backup(foundry.admin_url, tmp_path / "kept.tar", {"blobs": foundry.runtime.settings.data_dir / "blobs"})
    name = f"restored_{ids.uuid7().hex}"
    url = cluster.create_database(name)
    there = tmp_path / "there"
    there.mkdir()
    try:
        backup.restore(url, tmp_path / "kept.tar", {"blobs": there / "blobs"}, "a password for tests")
        with fresh_foundry(cluster, name, there) as other:
            again_there = bundle(other, project, release.id, tmp_path / "there.zip")
            assert verifying.verify(again_there).wrong == []
            assert members(again_there) == members(file)
            # what is away is told with its place, and nothing else is in its way
            gone = blob(other, project, label)
            gone.unlink()
            with pytest.raises(Problem) as caught:
                bundle(other, project, release.id, tmp_path / "broken.zip")
            assert (caught.value.kind, caught.value.code) == (Kind.UNAVAILABLE, "label-missing")
            assert caught.value.place == f"blobs/{project.tenant}/{gone.name}"
            gone.write_bytes(b"{}")
            with pytest.raises(Problem, match="does not hold what it is named after"):
                bundle(other, project, release.id, tmp_path / "broken.zip")
    finally:
        for one in (name, f"{name}_restoring", f"{name}_replaced"):
            cluster.drop_database(one)


def members(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_label_that_fits_its_row_stays_there(foundry: Foundry) -> None:
    """The usual cycle: no blob, the statements that it always was."""
    project = foundry.project(foundry.tenant(), 2, spec=SPEC, plan=TWO)
    person = foundry.person()
    page = foundry.claim(person, project)
    label = trees(1, 400)
    assert len(canonical(label)) < limits.MAX_ROW_LABEL_BYTES
    foundry.call(lambda run: work.submit(run, person, page.id, body(page, label)))
    assert columns(foundry, project)["judgement"] == [canonical(label).decode()] * 2
    assert not blob(foundry, project, label).exists()


def test_the_bound_counts_bytes_and_not_characters(foundry: Foundry) -> None:
    project = foundry.project(foundry.tenant(), 2, spec={"kind": "text"})
    person = foundry.person()
    page = foundry.claim(person, project)
    fits = {
        "kind": "text",
        "text": "字" * ((limits.MAX_ROW_LABEL_BYTES - len(canonical({"kind": "text", "text": ""}))) // 3),
    }
    over = {"kind": "text", "text": fits["text"] + "字"}
    assert len(over["text"]) < limits.MAX_ROW_LABEL_BYTES < len(canonical(over))
    judged = [
        {"task": str(t.task), "label": one, "seconds": 9.0} for t, one in zip(page.tasks, (fits, over), strict=True)
    ]
    told = json.dumps({"fence": page.fence, "judgements": judged}).encode()
    foundry.call(lambda run: work.submit(run, person, page.id, told))
    held = {len(value): value for value in columns(foundry, project)["judgement"]}
    assert sorted(value[0] for value in held.values()) == ["@", "{"]


@pytest.mark.parametrize("made", ["text", "draft", "bare"])
def test_nobody_reads_anothers_label_by_writing_what_names_it(foundry: Foundry, made: str) -> None:
    """A reference that is sent is words like any others; and a blob is looked for among the tenant's own alone."""
    theirs = foundry.project(foundry.tenant(), 1, spec={"kind": "text"})
    secret = {"kind": "text", "text": "secret " * 10_000}
    owner = foundry.person()
    page = foundry.claim(owner, theirs)
    foundry.call(lambda run: work.submit(run, owner, page.id, body(page, secret)))
    [named] = columns(foundry, theirs)["judgement"]
    assert named == long.reference(canonical(secret))
    mine = foundry.project(foundry.tenant(), 1, spec={"kind": "text"})
    thief = foundry.person()
    page = foundry.claim(thief, mine)
    if made == "text":
        said = {"kind": "text", "text": named}
        foundry.call(lambda run: work.submit(run, thief, page.id, body(page, said)))
        assert columns(foundry, mine)["judgement"] == [canonical(said).decode()]
    elif made == "draft":
        told = json.dumps({"fence": page.fence, "rev": 1, "label": named}).encode()
        foundry.call(lambda run: drafting.keep(run, thief, page.id, page.tasks[0].task, told))
        shown = foundry.call(lambda run: work.one_page(run, thief, page.id))
        assert json.loads(bytes(shown.tasks[0].draft)) == named
    else:
        told = f'{{"fence": {page.fence}, "judgements": [{{"task": "{page.tasks[0].task}", "label": {named}}}]}}'
        with pytest.raises(Problem) as caught:
            foundry.call(lambda run: work.submit(run, thief, page.id, told.encode()))
        assert caught.value.kind is Kind.INVALID
    # were it in the row after all, the blob would still be another tenant's
    foundry.sql("UPDATE item SET pre_label = %s WHERE tenant = %s", named, mine.tenant)
    with pytest.raises(Problem) as caught:
        foundry.call(lambda run: work.one_page(run, thief, page.id))
    assert caught.value.code == "label-missing"
    assert str(mine.tenant) in caught.value.place
    assert "secret " not in str(caught.value)
    foundry.sql("UPDATE item SET pre_label = NULL WHERE tenant = %s", mine.tenant)


def test_a_review_accepts_a_long_label_and_what_comes_too_late_is_parked(foundry: Foundry) -> None:
    label = trees(5)
    project = reviewed(foundry, 1, spec=SPEC)
    drawer, reviewer = foundry.person(), foundry.person()
    page = foundry.claim(drawer, project)
    with moved_clock(3_600):
        with pytest.raises(Problem) as late:
            foundry.call(lambda run: work.submit(run, drawer, page.id, body(page, label)))
        assert late.value.code == "assignment-expired"
        assert columns(foundry, project)["draft"] == [long.reference(canonical(label))]
        page = foundry.claim(drawer, project)
        assert json.loads(bytes(page.tasks[0].draft)) == json.loads(canonical(label))
        foundry.call(lambda run: work.submit(run, drawer, page.id, body(page, label)))
        foundry.hear()
        shown = foundry.call(lambda run: work.claim(run, reviewer, project.id, None, None, stage=1))
        assert shown is not None
        assert json.loads(bytes(shown.tasks[0].pre_label)) == json.loads(canonical(label))
        told = {
            "fence": shown.fence,
            "judgements": [{"task": str(shown.tasks[0].task), "accept": True, "seconds": 3.0}],
        }
        foundry.call(lambda run: work.submit(run, reviewer, shown.id, json.dumps(told).encode()))
        foundry.hear()
    held = columns(foundry, project)
    assert held["judgement"] == [long.reference(canonical(label))] * 2
    assert held["settlement"] == [long.reference(canonical(label))]


def test_differences_on_a_long_draft_are_laid_on_the_label_in_its_blob(foundry: Foundry) -> None:
    project = foundry.project(foundry.tenant(), 1, spec=SPEC)
    person = foundry.person()
    page = foundry.claim(person, project)
    task = page.tasks[0].task
    label = trees(4)
    first = json.dumps({"fence": page.fence, "writer": "w", "rev": 1, "label": label}).encode()
    foundry.call(lambda run: drafting.keep(run, person, page.id, task, first))
    for rev in range(2, 2 * limits.MAX_DRAFT_PATCHES):  # gathered once on the way
        label["objects"][1] = {**label["objects"][1], "attributes": {"n": str(rev)}}
        change = {"is": "objects", "put": [[1, label["objects"][1]]], "gone": []}
        told = {"fence": page.fence, "writer": "w", "base": rev - 1, "rev": rev, "change": change}
        sent = json.dumps(told).encode()
        foundry.call(lambda run, d=sent: drafting.change(run, person, page.id, task, d))
    shown = foundry.call(lambda run: work.one_page(run, person, page.id))
    assert json.loads(bytes(shown.tasks[0].draft)) == label
    [(kept, size)] = foundry.sql("SELECT label, label_bytes(label) FROM draft WHERE tenant = %s", project.tenant)
    assert kept[0] == "@"
    assert size > 200_000
    # and all drafts of a person are counted by what they hold, not by what stands in the row
    [(together,)] = foundry.as_tenant(
        project.tenant,
        "SELECT draft_bytes(tenant, worker, %s) FROM draft WHERE tenant = %s",
        ids.uuid7(),
        project.tenant,
    )
    assert together > size


def test_gold_pre_labels_and_opinions_that_are_long_are_compared_as_what_they_say(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    dataset = foundry.dataset(tenant, 1)
    label = trees(3)
    rows = [row_of("long", Taken(Probe("text/plain", text="x", characters=1), 1, body="x"),
                   pre_label=canonical(label).decode(), gold_label=canonical(label).decode())]  # fmt: skip
    foundry.app(tenant, lambda conn: catalog.insert(conn, tenant, dataset, rows))
    [(pre, gold)] = foundry.sql("SELECT pre_label, gold_label FROM item WHERE tenant = %s AND ref = 'long'", tenant)
    assert pre == gold == long.reference(canonical(label))
    project = foundry.project(tenant, spec=SPEC, dataset=dataset, plan=Plan(min_judgements=1, gold_rate=0.5))
    held = columns(foundry, project)
    assert held["gold"] == [long.reference(canonical(label))]
    look = foundry.app(
        tenant, lambda conn: pre_labels.look(conn, tenant, dataset, decode_ontology(json.dumps(SPEC).encode()))
    )
    assert look is not None
    assert (look.looked_at, look.whole) == (1, 1)
    given = [Given(project.tasks[-1], None, json.loads(canonical(label)), None, None)]

    async def give(conn: Any) -> Any:
        return await opinions.give(conn, tenant, project.id, "model", "1", given)

    assert foundry.app(tenant, give).created == 1
    assert foundry.app(tenant, give).unchanged == 1, "given again it is the same"
    assert foundry.sql("SELECT label FROM opinion WHERE tenant = %s", tenant) == [(long.reference(canonical(label)),)]


def test_a_page_of_rows_comes_in_parts_where_its_long_texts_are_heavy() -> None:
    @dataclass(frozen=True)
    class Row:
        n: int
        label: long.LongText

    heavy = long.BATCH_BYTES // 3 + 1
    rows = [Row(n, f"@{n:064x}:{heavy}" if n % 2 else "{}") for n in range(12)]
    parts = list(long.batches(rows, long.long_fields(Row)))
    assert [row.n for part in parts for row in part] == list(range(12))
    assert max(sum(row.n % 2 for row in part) for part in parts) == 2
    assert len(parts) == 3
    assert list(long.batches([], ("label",))) == [[]]


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from uuid import UUID
from cupola.platform.blobs import Blobs
from cupola.platform.pg.tx import Database
from cupola.platform.runtime import Runtime
from cupola.platform.settings import Settings
from cupola.tasks import work

class Killed(Blobs):
    async def put(self, tenant, data):
        await super().put(tenant, data)
        os.kill(os.getpid(), signal.SIGKILL)  # the bytes are there, the row is not

async def main(folder, url, person, page):
    run = Runtime(Settings(Path(folder), url, None, INSTANCE), Database(url, max_size=2),
                  Killed.open(Path(folder) / "blobs", secret=b"s" * 32))
    await run.db.open()
    await work.submit(run, UUID(person), UUID(page), sys.stdin.buffer.read())

asyncio.run(main(*sys.argv[1:]))
"""


def test_a_kill_between_the_blob_and_its_row_leaves_only_a_file_that_is_swept(foundry: Foundry) -> None:
    project = foundry.project(foundry.tenant(), 1, spec=SPEC)
    person = foundry.person()
    page = foundry.claim(person, project)
    settings = foundry.runtime.settings
    first, second = trees(3), trees(3, shift=1.0)
    program = KILLED.replace("INSTANCE", repr(settings.secret))
    told = [str(settings.data_dir), foundry.server_url, str(person), str(page.id)]
    done = subprocess.run(
        [sys.executable, "-c", program, *told], input=body(page, first), capture_output=True, timeout=120, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-2_000:]
    assert blob(foundry, project, first).is_file()
    assert columns(foundry, project)["judgement"] == []
    before = foundry.balances(project.tenant)
    assert before["worker"] == 0, "nothing was paid for what is not there"
    # whoever has no answer sends again; here it is something else by then
    foundry.call(lambda run: work.submit(run, person, page.id, body(page, second)))
    with moved_clock(timedelta(days=31).total_seconds()):
        foundry.call(lambda run: files.sweep(run.db, run.blobs))
    assert not blob(foundry, project, first).exists()
    assert columns(foundry, project)["judgement"] == [long.reference(canonical(second))]
    assert blob(foundry, project, second).is_file()
    assert foundry.offences([project.tenant]) == []


def test_a_fit_reads_the_newest_labels_that_it_may_hold_and_no_more(foundry: Foundry) -> None:
    project = foundry.project(foundry.tenant(), 3, spec=SPEC, plan=TWO)
    person = foundry.person()
    page = foundry.claim(person, project)
    label = trees(3)
    for task in page.tasks:
        judged = [{"task": str(task.task), "label": label, "seconds": 9.0}]
        told = json.dumps({"fence": page.fence, "judgements": judged}).encode()
        foundry.call(lambda run, d=told: work.submit(run, person, page.id, d))
    each = len(canonical(label))

    def read(most: int) -> list[str]:
        async def ask(conn: Any) -> list[str]:
            rows = await store.NEWEST_LABELS.all(conn, tenant=project.tenant, project=project.id, max_bytes=most)
            return [row.label for row in rows]

        return foundry.app(project.tenant, ask)

    assert read(limits.MAX_FIT_BYTES) == [canonical(label).decode()] * 3
    assert len(read(2 * each)) == 2
    assert read(each - 1) == []
