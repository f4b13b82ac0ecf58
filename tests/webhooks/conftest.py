"""A served instance with identity, webhooks and the stream; its webhooks may reach 127.0.0.1 of all private places."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cupola.identity import api
from cupola.platform import stream
from cupola.platform.pg.cluster import Cluster
from cupola.platform.webhooks import api as webhooks_api
from tests.serving import Serving, fresh_serving, template


@pytest.fixture(scope="session")
def served(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    routers = [api.router, webhooks_api.router, stream.router]
    folder = tmp_path_factory.mktemp("webhooks")
    with fresh_serving(cluster, template(cluster), folder, routers, allowed_hosts=("127.0.0.1",)) as opened:
        yield opened
