"""A served instance for the whole folder, and fresh ones for what happens once in an instance's life."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from cupola.identity import api
from cupola.kernel import ids
from cupola.platform.pg.cluster import Cluster
from cupola.platform.pg.migrate import migrate
from tests.serving import Serving, serving


@pytest.fixture(scope="session")
def identity_template(cluster: Cluster) -> str:
    """The name of a migrated database that fresh ones are copied from."""
    name = f"identity_{ids.token(6).lower().replace('-', '_')}"
    migrate(cluster.create_database(name), "a password for tests")
    return name


@pytest.fixture(scope="session")
def fresh(
    cluster: Cluster, identity_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Serving]]:
    """Starts a server over a database that nobody has used."""
    with ExitStack() as stack:

        def start() -> Serving:
            name = f"{identity_template}_{ids.token(6).lower().replace('-', '_')}"
            admin_url = cluster.create_database(name, template=identity_template)
            folder: Path = tmp_path_factory.mktemp("instance")
            return stack.enter_context(serving(folder, admin_url, cluster.url_for("cupola_server", name), [api.router]))

        yield start


@pytest.fixture(scope="session")
def served(fresh: Callable[[], Serving]) -> Serving:
    return fresh()
