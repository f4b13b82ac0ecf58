"""What one client does, in a process of its own."""

from __future__ import annotations

from multiprocessing.synchronize import Barrier
from typing import Any

from scaleapi.tasks import TaskType

from cupola.client.scale import scale_client
from cupola.kernel import ids

WORDS: dict[str, Any] = {"attachment": "words", "attachment_type": "text", "categories": ["a", "b"]}


def arrive(up: Barrier) -> None:
    """Wait until every client is there."""
    up.wait()


def create(url: str, key: str, project: str, count: int) -> int:
    client = scale_client(url, key)
    for _ in range(count):
        client.create_task(TaskType.Categorization, project=project, unique_id=ids.token(12), **WORDS)
    return count


def read(url: str, key: str, project: str, rounds: int) -> int:
    client = scale_client(url, key)
    return sum(len(list(client.get_tasks(project, limit=100, include_attachment_url=False))) for _ in range(rounds))
