"""A database that an earlier version left behind comes to the present schema with everything in it unchanged."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import conninfo

from cupola.kernel import ids
from cupola.platform.pg import migrate
from cupola.platform.pg.binaries import Binaries
from cupola.platform.pg.cluster import Cluster
from cupola.releases import verifying
from tests.foundry import Foundry, Project, choice, fresh_foundry
from tests.migrations.facts import facts
from tests.releases.test_release import bundle

HERE = Path(__file__).parent
LEFT = sorted(HERE.glob("schema_*.dump"))


@pytest.fixture(scope="module", params=LEFT, ids=[file.stem for file in LEFT])
def brought(
    request: pytest.FixtureRequest, cluster: Cluster, foundry_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, Foundry]]:
    """A dump and the instance over it, migrated. The template stands for the roles, which are in no dump."""
    name = f"left_{ids.uuid7().hex}"
    url = cluster.create_database(name)
    Binaries.for_clients().run(
        "pg_restore",
        ["--dbname", url, "--exit-on-error", "--single-transaction", str(request.param)],
        as_account=False,
        environment={},
        timeout_s=60,
    )
    assert migrate.present(url) == request.param.stem[-4:]
    migrate.migrate(url, "a password for tests")
    assert migrate.behind(url) is None
    with fresh_foundry(cluster, name, tmp_path_factory.mktemp("left")) as opened:
        yield request.param, opened
    cluster.drop_database(conninfo.conninfo_to_dict(url)["dbname"] or name)


def test_labels_money_and_decisions_are_what_they_were(brought: tuple[Path, Foundry]) -> None:
    left, foundry = brought
    assert facts(foundry) == json.loads(left.with_suffix(".json").read_text())
    foundry.sound()


def test_each_label_is_known_by_the_hash_of_its_bytes(brought: tuple[Path, Foundry]) -> None:
    _, foundry = brought
    for table in ("judgement", "gold", "settlement", "adjudication", "audit_judgement"):
        rows = foundry.sql(f"SELECT label, label_sha256 FROM {table}")
        assert rows
        assert all(found == (label and hashlib.sha256(label.encode()).digest()) for label, found in rows), table


def test_a_certificate_from_before_is_shown_by_the_same_evidence(brought: tuple[Path, Foundry], tmp_path: Path) -> None:
    left, foundry = brought
    [(tenant, project, release)] = foundry.sql("SELECT tenant, project, id FROM release WHERE state = 'certified'")
    then, now = (
        left.with_suffix(".evidence.zip"),
        bundle(foundry, Project(tenant, project, []), release, tmp_path / "e"),
    )
    assert verifying.verify(now).wrong == verifying.verify(then).wrong == []
    with zipfile.ZipFile(then) as a, zipfile.ZipFile(now) as b:
        assert {name: b.read(name) for name in b.namelist()} == {name: a.read(name) for name in a.namelist()}


def test_work_goes_on_where_it_stood(brought: tuple[Path, Foundry]) -> None:
    """Last, for it changes the database: somebody new works through the project that has a certified release."""
    _, foundry = brought
    [(tenant, project)] = foundry.sql("SELECT tenant, project FROM release WHERE state = 'certified'")
    person = foundry.person()
    page = foundry.claim(person, Project(tenant, project, []), 2)
    done = foundry.submit(person, page, choice("b")["values"][0])
    assert len(done.judgements) == len(page.tasks) > 0
    foundry.expire()
    foundry.sound()
