"""Releases from the declared plan to the certificate that anybody computes again from the files alone."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from scipy.stats import hypergeom

from cupola.kernel import limits
from cupola.kernel.errors import Kind, Problem
from cupola.platform.pg.tx import Role
from cupola.quality import adjudication, certify
from cupola.releases import evidence, exporting, service, store, verifying
from cupola.releases.model import AuditAsked, Release
from tests.foundry import Foundry, Project, choice
from tests.security.test_other_peoples_objects import build
from tests.serving import Serving

ITEMS, DRAWN, ERRORS = 60, 20, 2


def settle(foundry: Foundry, project: Project, value: str = "a", tasks: list[UUID] | None = None) -> None:
    chosen = tasks or project.tasks
    foundry.sql("UPDATE task SET state = 2, open_slots = 0 WHERE id = ANY (%s) AND state < 2", chosen)

    async def decide(conn: Any) -> None:
        for task in chosen:
            await adjudication.adjudicate(conn, project.tenant, task, None, choice(value), False, "")

    foundry.app(project.tenant, decide)


def freeze(foundry: Foundry, project: Project, name: str, items: int = DRAWN) -> Release:
    asked = AuditAsked(items, 0.95, 0.6)
    declared = declare(foundry, project, name, asked)
    return foundry.app(project.tenant, lambda conn: service.freeze(conn, foundry.runtime, project.tenant, declared.id))


def declare(foundry: Foundry, project: Project, name: str, asked: AuditAsked) -> Release:
    return foundry.app(
        project.tenant,
        lambda conn: service.declare(conn, foundry.runtime, project.tenant, project.id, name, "CC0-1.0", asked),
    )


def audit(foundry: Foundry, project: Project, release: UUID, errors: int) -> None:
    async def judge(conn: Any) -> None:
        rows = await service.next_items(conn, foundry.runtime, project.tenant, release, 1_000, None, "nobody")
        for n, (row, _) in enumerate(rows):
            said = choice("b" if n < errors else "a")
            await service.judge(conn, project.tenant, release, row.id, None, said, False, 2.0)

    foundry.app(project.tenant, judge)


def bundle(foundry: Foundry, project: Project, release: UUID, target: Path) -> Path:
    async def write(runtime: Any) -> bytes:
        async with runtime.db.tx(Role.APP, tenant=project.tenant) as conn:
            row = await store.RELEASE.one(conn, tenant=project.tenant, id=release)
        return b"".join([part async for part in evidence.bundle(runtime, project.tenant, row)])

    target.write_bytes(foundry.call(write))
    return target


@pytest.fixture(scope="module")
def certified(foundry: Foundry, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Release, Path]:
    project = foundry.project(foundry.tenant(), ITEMS)
    settle(foundry, project)
    release = freeze(foundry, project, "first")
    audit(foundry, project, release.id, ERRORS)
    done = foundry.app(
        project.tenant, lambda conn: service.certify_release(conn, foundry.runtime, project.tenant, release.id)
    )
    folder = tmp_path_factory.mktemp("evidence")
    return project, done, bundle(foundry, project, release.id, folder / "first-evidence.zip")


def test_the_bound_is_computed_again_from_the_files_alone(certified: tuple[Project, Release, Path]) -> None:
    _, release, file = certified
    found = verifying.verify(file)
    assert found.wrong == []
    assert (found.items, found.audited, found.errors) == (ITEMS, DRAWN, ERRORS)
    # the textbook way: the most errors in all that would still show so few with a probability over 5 %
    worst = max(d for d in range(ITEMS + 1) if hypergeom.cdf(ERRORS, ITEMS, d, DRAWN) > 0.05)
    assert release.certificate is not None
    assert found.accuracy_lower_bound == pytest.approx(1 - worst / ITEMS)
    assert release.certificate.accuracy_lower_bound == found.accuracy_lower_bound


def test_an_unpacked_folder_verifies_as_the_zip_does(certified: tuple[Project, Release, Path], tmp_path: Path) -> None:
    with zipfile.ZipFile(certified[2]) as archive:
        archive.extractall(tmp_path)
    assert verifying.verify(tmp_path).wrong == []


def alter(name: str, data: bytes) -> bytes:
    """Another file that still reads as one: what somebody would change who wants a better certificate."""
    text = data.decode()
    if name == "audit.jsonl":
        return text.replace(
            '"audited":{"kind":"choice","values":["b"]}', '"audited":{"kind":"choice","values":["a"]}', 1
        ).encode()
    if name == "certificate.json":
        return text.replace(f'"errors":{ERRORS}', '"errors":0', 1).encode()
    if name == "plan.json":
        return text.replace('"confidence":0.95', '"confidence":0.5', 1).encode()
    if name == "ontology.json":
        return text.replace('"name":"c"', '"name":"d"', 1).encode()
    if name == "manifest.json":
        return text.replace('"judgements.jsonl"', '"judgments.jsonl"', 1).encode()
    return text.replace('"a"', '"b"', 1).encode() if '"a"' in text else data + b"\n"


def said_of(folder: Path) -> list[str]:
    """What `verify` finds wrong; a file that is not where the manifest has it is found by its absence."""
    try:
        return verifying.verify(folder).wrong
    except Problem as problem:
        return [problem.code] if problem.code == "evidence-missing" else []


@pytest.mark.parametrize("name", [*verifying.FILES, "manifest.json"])
def test_a_change_of_any_file_is_noticed(certified: tuple[Project, Release, Path], tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(certified[2]) as archive:
        archive.extractall(tmp_path)
    before = (tmp_path / name).read_bytes()
    after = alter(name, before)
    assert after != before
    (tmp_path / name).write_bytes(after)
    assert said_of(tmp_path) != []


@pytest.mark.parametrize("name", [one for one in verifying.FILES if one != "judgements.jsonl"])
def test_a_change_with_the_manifest_made_to_fit_is_noticed(
    certified: tuple[Project, Release, Path], tmp_path: Path, name: str
) -> None:
    with zipfile.ZipFile(certified[2]) as archive:
        archive.extractall(tmp_path)
    after = alter(name, (tmp_path / name).read_bytes())
    (tmp_path / name).write_bytes(after)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    manifest["sha256"][name] = hashlib.sha256(after).hexdigest()
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    assert verifying.verify(tmp_path).wrong != []


@pytest.mark.parametrize("name", [*verifying.FILES, "manifest.json"])
def test_a_missing_file_is_told_by_its_name(
    certified: tuple[Project, Release, Path], tmp_path: Path, name: str
) -> None:
    with zipfile.ZipFile(certified[2]) as archive:
        archive.extractall(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(Problem) as missing:
        verifying.verify(tmp_path)
    assert missing.value.place == name


def test_the_seed_was_committed_to_and_the_plan_declared_before_the_draw(
    foundry: Foundry, certified: tuple[Project, Release, Path]
) -> None:
    project, release, file = certified
    assert release.seed is not None
    assert hashlib.sha256(release.seed.encode()).hexdigest() == release.seed_commitment
    with zipfile.ZipFile(file) as archive:
        plan = json.loads(archive.read("plan.json"))
        rows = [json.loads(line) for line in archive.read("rows.jsonl").splitlines()]
        audited = [json.loads(line)["task"] for line in archive.read("audit.jsonl").splitlines()]
        assert hashlib.sha256(archive.read("plan.json")).hexdigest() == release.plan_sha256
        assert hashlib.sha256(archive.read("rows.jsonl")).hexdigest() == release.manifest_sha256
    assert plan["seed_commitment_sha256"] == release.seed_commitment
    assert certify.draw(sorted(row["task"] for row in rows), DRAWN, release.seed) == audited
    told = "SELECT kind FROM event WHERE tenant = %s AND subject = %s ORDER BY seq"
    kinds = foundry.sql(told, project.tenant, release.id)
    assert [row[0] for row in kinds] == ["release.declared", "release.frozen", "release.certified"]


def test_a_further_release_has_what_was_settled_since_and_the_first_stays_as_it_is(
    foundry: Foundry, tmp_path: Path
) -> None:
    project = foundry.project(foundry.tenant(), 12)
    settle(foundry, project, tasks=project.tasks[:8])
    one = freeze(foundry, project, "one", 4)
    before = bundle(foundry, project, one.id, tmp_path / "before.zip")
    settle(foundry, project, "c", [project.tasks[0]])
    settle(foundry, project, tasks=project.tasks[8:])
    two = freeze(foundry, project, "two", 4)
    assert (one.items, two.items) == (8, 12)
    assert one.manifest_sha256 != two.manifest_sha256
    after = bundle(foundry, project, one.id, tmp_path / "after.zip")
    second = bundle(foundry, project, two.id, tmp_path / "second.zip")

    def labels(file: Path) -> dict[str, Any]:
        with zipfile.ZipFile(file) as archive:
            return {row["task"]: row["label"] for row in map(json.loads, archive.read("rows.jsonl").splitlines())}

    assert labels(before) == labels(after)
    assert labels(second)[str(project.tasks[0])] == choice("c")
    with pytest.raises(Problem) as taken:
        freeze(foundry, project, "two")
    assert taken.value.code == "name-taken"


def test_where_nothing_is_settled_no_release_is_declared_and_its_name_stays_free(foundry: Foundry) -> None:
    project = foundry.project(foundry.tenant(), 3)
    with pytest.raises(Problem) as refused:
        freeze(foundry, project, "empty")
    assert refused.value.code == "nothing-settled"
    assert foundry.sql("SELECT count(*) FROM release WHERE tenant = %s", project.tenant) == [(0,)]


def test_a_release_is_certified_only_when_every_drawn_item_is_judged_and_the_first_judgement_stands(
    foundry: Foundry,
) -> None:
    project = foundry.project(foundry.tenant(), 10)
    settle(foundry, project)
    release = freeze(foundry, project, "r", 5)
    with pytest.raises(Problem) as early:
        foundry.app(
            project.tenant, lambda conn: service.certify_release(conn, foundry.runtime, project.tenant, release.id)
        )
    assert early.value.code == "audit-unfinished"
    audit(foundry, project, release.id, 0)
    (item,) = foundry.sql("SELECT id FROM audit_item WHERE release = %s AND draw = 0", release.id)
    again = foundry.app(
        project.tenant,
        lambda conn: service.judge(conn, project.tenant, release.id, item[0], None, choice("c"), False, 1.0),
    )
    assert again.audit.errors == 0
    one, two = (
        foundry.app(
            project.tenant, lambda conn: service.certify_release(conn, foundry.runtime, project.tenant, release.id)
        )
        for _ in range(2)
    )
    assert one == two


def test_the_audit_is_blind(foundry: Foundry) -> None:
    with foundry.http() as url:
        scene = build(foundry, Serving(url, foundry.admin_url, foundry.runtime, foundry.loop, None), url)
        client: httpx.Client = scene.rightful["tenant"]
        release = scene.objects["release"]
        for path in (f"/api/audits/{release}/next", f"/api/audits/{release}/items", "/api/audits"):
            answer = client.get(path)
            assert answer.status_code == 200
            assert (
                names(answer.json())
                & {
                    *(
                        "label",
                        "confidence",
                        "judgements",
                        "settlement",
                        "settled_label",
                        "task",
                        "pre_label",
                        "worker",
                    ),
                    *("errors", "correct", "how", "gold_label"),
                }
                == set()
            ), path


def names(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {name for one in value.values() for name in names(one)}
    return {name for one in value for name in names(one)} if isinstance(value, list) else set()


def test_a_format_that_cannot_hold_the_release_is_refused_when_it_is_asked_for(foundry: Foundry) -> None:
    project = foundry.project(foundry.tenant(), 3)
    settle(foundry, project)
    release = freeze(foundry, project, "choices", 0)
    with pytest.raises(Problem) as caught:
        foundry.app(
            project.tenant, lambda conn: exporting.start(conn, foundry.runtime, project.tenant, release.id, "voc", "me")
        )
    assert (caught.value.code, caught.value.kind) == ("export-kind", Kind.UNSUPPORTED)
    assert "jsonl" in caught.value.remedy
    assert "voc" not in caught.value.remedy
    assert foundry.sql("SELECT count(*) FROM export WHERE tenant = %s", project.tenant) == [(0,)]


def test_a_release_of_more_than_a_page_exports_every_row_once(foundry: Foundry) -> None:
    project = foundry.project(foundry.tenant(), limits.MAX_LIST * 2 + 7)
    settle(foundry, project)
    release = freeze(foundry, project, "many", 0)
    export = foundry.app(
        project.tenant, lambda conn: exporting.start(conn, foundry.runtime, project.tenant, release.id, "jsonl", "me")
    )
    foundry.call(lambda run: exporting.run_export(run, project.tenant, export.id))
    foundry.call(lambda run: exporting.run_export(run, project.tenant, export.id))  # again, as after a crash
    (row,) = foundry.sql("SELECT state, rows, encode(sha256, 'hex') FROM export WHERE id = %s", export.id)
    assert row[:2] == ("done", len(project.tasks))
    data = foundry.call(lambda run: run.blobs.get(project.tenant, row[2]))
    tasks = [json.loads(line).get("task") for line in data.splitlines()]
    assert sorted(filter(None, tasks)) == sorted(map(str, project.tasks))
