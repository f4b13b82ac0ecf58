"""What every test may use: one embedded database server for the session, stopped and deleted at its end."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from hypothesis import settings

from cupola.kernel import clock
from cupola.platform.dispatch import service as dispatching
from cupola.platform.pg.cluster import Cluster
from tests.elsewhere import Elsewhere
from tests.foundry import Foundry, fresh_foundry
from tests.pooler import Pooler, pooler
from tests.serving import template

# How long an example takes says how busy the machine is.
settings.register_profile("cupola", deadline=None)
settings.load_profile("cupola")
# So does how long a turn of the dispatcher takes, in which numerics may be compiled that this machine never ran.
dispatching.HANDLE_LIMIT_S = dispatching.LONGEST_HANDLE_S


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes tens of seconds; leave it out with -m 'not slow'")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Names that are the same in every process that collects, as they must be where several share the work."""
    if isinstance(val, bytes):
        return f"{len(val)}-bytes"
    if callable(val):
        return getattr(val, "__name__", type(val).__name__)
    return None


def reachable_folder(prefix: str = "cupola-test-") -> Path:
    """A scratch folder that the account which runs Postgres can pass; pytest's own tmp_path is closed to it."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o755)
    return folder


@pytest.fixture(scope="module", autouse=True)
def _clock_as_it_was() -> Iterator[None]:
    """Deadlines of one module's tests are not those of the next that the same process runs."""
    before_s = clock.offset_s()
    yield
    clock.advance(timedelta(seconds=before_s - clock.offset_s()))


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The session's embedded server. Make your own databases on it: `cluster.create_database(name)`.

    With CUPOLA_TEST_POSTGRES (a superuser's URI) it is that server instead, of whatever version it is.
    """
    if elsewhere := os.environ.get("CUPOLA_TEST_POSTGRES"):
        yield cast("Cluster", Elsewhere(elsewhere))
        return
    folder = reachable_folder()
    try:
        with Cluster.open(folder / "data") as opened:
            yield opened
    finally:
        Cluster.destroy(folder / "data")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def cluster_url(cluster: Cluster) -> str:
    """The superuser's URI of the session's server (database `cupola`, empty at first)."""
    return cluster.url


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A place for a data folder of the test's own; whatever server runs over it is stopped afterwards."""
    folder = reachable_folder()
    try:
        yield folder / "data"
    finally:
        if (folder / "data").is_dir():
            Cluster.stop(folder / "data", force=True)
            Cluster.destroy(folder / "data")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def foundry_template(cluster: Cluster) -> str:
    """The name of a migrated database that instances are copied from."""
    return template(cluster)


@pytest.fixture(scope="session")
def between(cluster: Cluster) -> Iterator[Pooler | None]:
    """With CUPOLA_TEST_POOLER a pgbouncer that every foundry speaks through, else nothing."""
    if not os.environ.get("CUPOLA_TEST_POOLER"):
        yield None
        return
    with pooler(cluster.url) as found:
        yield found


@pytest.fixture(scope="module")
def foundry(
    cluster: Cluster, foundry_template: str, tmp_path_factory: pytest.TempPathFactory, between: Pooler | None
) -> Iterator[Foundry]:
    """One instance for the tests of a module; each makes tenants of its own."""
    with fresh_foundry(cluster, foundry_template, tmp_path_factory.mktemp("foundry"), between) as opened:
        yield opened
