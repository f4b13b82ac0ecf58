"""The shortest way of an order, through the unmodified client."""

from __future__ import annotations

import pytest
from scaleapi.exceptions import ScaleDuplicateResource, ScaleInvalidRequest, ScaleResourceNotFound, ScaleUnauthorized
from scaleapi.tasks import TaskType

from cupola.client.scale import scale_client
from tests.scale.conftest import World


def test_a_task_is_made_read_listed_and_canceled(world: World) -> None:
    client = world.live
    client.create_project("Cats", TaskType.Categorization, {"instruction": "Look at the ears."})
    task = client.create_task(
        TaskType.Categorization,
        project="Cats",
        attachment="Some words to judge",
        attachment_type="text",
        categories=["cat", "dog"],
        unique_id="one",
        metadata={"a": 1},
    )
    assert (task.status, task.project, task.unique_id) == ("pending", "Cats", "one")
    assert client.get_task(task.id).as_dict()["params"]["categories"] == ["cat", "dog"]
    assert [one.id for one in client.get_tasks(project_name="Cats")] == [task.id]
    assert client.get_tasks_count(project_name="Cats") == 1
    assert client.cancel_task(task.id).status == "canceled"
    with pytest.raises(ScaleInvalidRequest):
        client.cancel_task(task.id)


def test_a_unique_id_is_taken_once(world: World) -> None:
    client = world.live
    body = {"attachment": "words", "attachment_type": "text", "categories": ["a"], "unique_id": "x"}
    client.create_task(TaskType.Categorization, **body)
    with pytest.raises(ScaleDuplicateResource):
        client.create_task(TaskType.Categorization, **body)


def test_a_test_task_completes_at_once_and_the_live_world_does_not_see_it(world: World) -> None:
    body = {"attachment": "words", "attachment_type": "text", "categories": ["a", "b"]}
    task = world.test.create_task(TaskType.Categorization, **body)
    assert (task.status, task.response, task.is_test) == ("completed", {"category": "a"}, True)
    with pytest.raises(ScaleResourceNotFound):
        world.live.get_task(task.id)


def test_a_wrong_parameter_and_a_wrong_key_are_refused(world: World) -> None:
    with pytest.raises(ScaleInvalidRequest, match="categories"):
        world.live.create_task(TaskType.Categorization, attachment="x", attachment_type="text", categories=7)
    with pytest.raises(ScaleUnauthorized):
        scale_client(world.served.url, "live_nobody").get_task("x")
