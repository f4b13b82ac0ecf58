"""A served instance for the whole folder, and fresh ones for what happens once in an instance's life."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from cupola.identity import api
from cupola.platform.pg.cluster import Cluster
from tests.serving import Serving, fresh_serving, template


@pytest.fixture(scope="session")
def fresh(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Serving]]:
    """Starts a server over a database that nobody has used."""
    copied = template(cluster)
    with ExitStack() as stack:
        yield lambda: stack.enter_context(
            fresh_serving(cluster, copied, tmp_path_factory.mktemp("instance"), [api.router])
        )


@pytest.fixture(scope="session")
def served(fresh: Callable[[], Serving]) -> Serving:
    return fresh()
