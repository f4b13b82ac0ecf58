"""Every public method of the unmodified client, once, against a running server."""

from __future__ import annotations

import io

import scaleapi
from scaleapi.api_client.v2.models import ExpandableEnumBatch, ExpandableEnumTask, Option
from scaleapi.api_client.v2.models.batch_operation_request import BatchOperationRequest
from scaleapi.api_client.v2.models.create_batch_request import CreateBatchRequest
from scaleapi.api_client.v2.models.create_chat_task_request import CreateChatTaskRequest
from scaleapi.api_client.v2.models.set_batch_metadata_request import SetBatchMetadataRequest
from scaleapi.api_client.v2.models.set_task_metadata_request import SetTaskMetadataRequest
from scaleapi.batches import BatchStatus
from scaleapi.tasks import TaskReviewStatus, TaskStatus, TaskType
from scaleapi.teams import TeammateRole

from tests.scale.conftest import World
from tests.scale.every import Calls, public_methods

BOX = {"geometries": {"box": {"objects_to_annotate": ["car", {"choice": "van"}]}}}
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64


def every_v1_method(world: World) -> None:
    client = world.live
    client.create_project("Streets / Paris", TaskType.ImageAnnotation, {"instruction": "All of them.", **BOX})
    assert client.get_project("Streets / Paris").version == 0
    assert client.update_project("Streets / Paris", patch=True, instruction="Only cars.").instruction == "Only cars."
    assert [one.name for one in client.projects()] == [one.name for one in client.get_projects()]
    client.projects()[0].as_dict()

    file = client.upload_file(io.BytesIO(PNG), project_name="Streets / Paris", reference_id="r1", display_name="a.png")
    assert file.attachment_url.startswith("scaledata://")
    assert file.as_dict()["size"] == len(PNG)
    imported = client.import_file("https://example.com/b.png", project_name="Streets / Paris")
    assert imported.id != file.id

    batch = client.create_batch("Streets / Paris", "May / one", callback="https://example.com/done", metadata={"a": 1})
    assert client.get_batch("May / one").as_dict()["metadata"] == {"a": 1}
    assert client.set_batch_metadata("May / one", {}).metadata == {}
    assert batch.finalize().status == "in_progress"
    assert client.finalize_batch("May / one").status == "in_progress"
    assert [one.name for one in client.get_batches("Streets / Paris", BatchStatus.InProgress)] == ["May / one"]
    assert client.batches(project="Streets / Paris", limit=1, exclude_archived=True).total == 1

    task = client.create_task(
        TaskType.ImageAnnotation, project="Streets / Paris", batch="May / one", attachment=imported.attachment_url
    )
    assert (task.as_dict()["batch"], task.params["geometries"]) == ("May / one", BOX["geometries"])
    assert client.batch_status("May / one") == {"status": "in_progress", "pending": 1}
    batch.get_status()
    assert batch.tasks_pending == 1
    task.set_tags(["a", "b"])
    task.add_tags(["c", "b"])
    task.delete_tags(["a"])
    task.refresh()
    assert task.tags == ["b", "c"]
    assert client.set_task_tags(task.id, []).tags == []
    assert client.add_task_tags(task.id, ["x"]).tags == ["x"]
    assert client.delete_task_tags(task.id, ["x"]).tags == []
    task.set_metadata({"k": "v"})
    assert client.set_task_metadata(task.id, {}).metadata == {}
    task.update_unique_id("u1")
    assert client.update_task_unique_id(task.id, "u2").unique_id == "u2"
    task.clear_unique_id()
    assert "unique_id" not in client.clear_task_unique_id(task.id).as_dict()
    assert client.get_task(task.id).id == task.id
    assert client.tasks(project="Streets / Paris", limit=10).total == 1
    assert len(list(client.get_tasks("Streets / Paris", status=TaskStatus.Pending))) == 1
    assert client.get_tasks_count("Streets / Paris", created_after="2020-01-01") == 1
    task.cancel(clear_unique_id=True)
    client.cancel_task(
        client.create_task(
            TaskType.ImageAnnotation, project="Streets / Paris", attachment="https://example.com/x.png"
        ).id
    )


def teams_and_studio(world: World) -> None:
    client = world.live
    client.create_project(
        "Studio", TaskType.TextCollection, {"fields": [{"type": "text", "field_id": "a"}]}, studio=True
    )
    template = client.get_project("Studio").get_template()
    client.get_project_template("Studio")
    template.as_dict()
    assert template.get_template_variables() == {}
    assert template.get_response_schema()["properties"] == {"a": {"type": "object", "title": "a"}}
    assert template.is_auto_onboardable() is False
    people = client.invite_teammates(["a@example.org", "b@example.org"], TeammateRole.Labeler)
    assert [one.role for one in people[:2]] == ["labeler", "labeler"], "whom one asked for first, then everybody else"
    people[0].update_teammate_role(TeammateRole.Member)
    client.update_teammates_role(["b@example.org"], TeammateRole.Manager)
    roles = {one.email: one.as_dict()["role"] for one in client.list_teammates()}
    assert (roles["a@example.org"], roles["b@example.org"]) == ("member", "manager")
    assert client.add_studio_assignments(["a@example.org"], ["Studio"])["a@example.org"].assigned_projects == ["Studio"]
    client.list_studio_assignments()["a@example.org"].as_dict()
    assert client.remove_studio_assignments(["a@example.org"], ["Studio"])["a@example.org"].assigned_projects == []
    group = client.create_project_group("Studio", ["a@example.org"], "Best / group")
    assert group.numWorkers == 1
    changed = client.update_project_group("Studio", "Best / group", ["b@example.org"], ["a@example.org"])
    assert [worker.email for worker in changed.workers[0]] == ["b@example.org"]
    changed.workers[0][0].as_dict()
    assert client.list_project_groups("Studio")[0].as_dict()["name"] == "Best / group"
    for name in ("one", "two"):
        client.create_batch("Studio", name)
    assert client.assign_studio_batches("two", ["Best / group"]).groups == ["Best / group"]
    # another batch is among them until its only task has ended, whenever that is
    ordered = client.set_studio_batches_priorities(["two", "one"])
    assert [one.name for one in ordered if one.name in ("one", "two")] == ["two", "one"]
    assert [one.name for one in client.reset_studio_batches_priorities() if one.name in ("one", "two")] == [
        "one",
        "two",
    ]
    client.list_studio_batches()[0].as_dict()


def quality_and_audits(world: World) -> None:
    expected = {"annotations": [{"type": "box", "label": "car", "left": 1, "top": 2, "width": 3, "height": 4}]}
    body = {"attachment": "https://example.com/q.png", "expected_response": expected, **BOX}
    assert (
        world.live.create_evaluation_task(TaskType.ImageAnnotation, **body).as_dict()["expected_response"] == expected
    )
    assert world.live.create_training_task(TaskType.ImageAnnotation, **body).as_dict()["expected_response"] == expected
    client = world.test
    client.create_project("P", TaskType.ImageAnnotation, BOX)
    one, two = (
        client.create_task(TaskType.ImageAnnotation, project="P", attachment="https://example.com/a.png")
        for _ in range(2)
    )
    one.audit(True, "good")
    client.audit_task(two.id, False)
    both = [TaskReviewStatus.Accepted, TaskReviewStatus.Rejected]
    assert {task.id for task in client.get_tasks("P", review_status=both)} == {one.id, two.id}


def every_v2_method(world: World) -> None:
    client = world.test
    v2 = client.v2
    client.create_project("Chats", TaskType.Chat)
    project = v2.get_project(project_name="Chats")
    assert v2.get_project(project_id=project.id).name == "Chats"
    assert [one.name for one in v2.get_projects().projects] == ["Chats", "P"]
    batch = v2.create_batch(CreateBatchRequest(name="B / 1", project_id=project.id, staging_batch=True))
    v2.set_batch_metadata(SetBatchMetadataRequest(batch_id=batch.id, metadata={"a": 1}))
    merged = v2.set_batch_metadata(SetBatchMetadataRequest(batch_name="B / 1", metadata={"b": 2}, merge=True))
    assert merged.metadata == {"a": 1, "b": 2}
    task = v2.create_chat_task(
        CreateChatTaskRequest(project_id=project.id, batch_id=batch.id, template_variables={"prompt": "Why?"})
    )
    assert v2.set_task_metadata(SetTaskMetadataRequest(task_id=task.task_id, metadata={"x": 1})).metadata == {"x": 1}
    assert v2.pause_batch(BatchOperationRequest(batch_id=batch.id)).batch.status.value == "paused"
    assert v2.resume_batch(BatchOperationRequest(batch_id=batch.id)).batch.status.value == "staging"
    other = v2.create_batch(CreateBatchRequest(name="B2", project_name="Chats", staging_batch=True))
    assert v2.finalize_batch(BatchOperationRequest(batch_id=other.id)).status.value == "in_progress"
    assert v2.cancel_batch(BatchOperationRequest(batch_id=other.id)).batch.status.value == "cancelled"
    full = v2.get_batch(batch_id=batch.id, expand=[ExpandableEnumBatch.PROJECT])
    assert full.project.actual_instance.name == "Chats"
    assert {one.name for one in v2.get_batches(project_name="Chats").batches} == {"B / 1", "B2"}

    everything = [Option.ANNOTATION_DETAILS, Option.MODEL_PARAMETERS, Option.SUBMISSIONS, Option.ATTACHMENT_DETAILS]
    read = v2.get_task(task_id=task.task_id, opts=everything, expand=[ExpandableEnumTask.PROJECT])
    turn = read.threads[0].turns[0]
    assert turn.messages[0].content.text == "Why?"
    plain = {one.actual_instance.key: one.actual_instance for one in
             v2.get_task(task_id=task.task_id).threads[0].turns[0].annotations}  # fmt: skip
    full_of = {one.actual_instance.key: one.actual_instance for one in turn.annotations}
    [bare], [whole] = (of["file"].value.actual_instance for of in (plain, full_of))
    assert (bare.name, bare.mime_type, bare.content) == ("notes.txt", None, None)
    assert (whole.name, whole.mime_type, whole.content) == ("notes.txt", "text/plain", "example")
    assert (plain["topic"].possible_values, full_of["topic"].possible_values) == (None, ["other"])
    bare_thread = v2.get_task(task_id=task.task_id).threads[0]
    assert (bare_thread.submissions, bare_thread.turns[0].messages[1].model_parameters) == (None, None)
    assert read.threads[0].submissions[0].contributor_id
    assert turn.messages[1].model_parameters.model == "example"
    kinds = {one.actual_instance.type for one in turn.annotations}
    assert len(kinds) == 12
    for one in turn.annotations:
        again = v2.get_annotation(annotation_id=one.actual_instance.id)
        assert again.actual_instance.key == one.actual_instance.key
    assert [one.task_id for one in v2.get_tasks(project_id=project.id, expand=list(ExpandableEnumTask)).tasks] == [
        task.task_id
    ]
    assert [one.task_id for one in client.v2_get_tasks(project_name="Chats", limit=1)] == [task.task_id]
    deliveries(world, project.id)


def deliveries(world: World, project: str) -> None:
    v2 = world.test.v2
    operator = world.served.operator().client
    headers = {"Cupola-Tenant": world.owner.test_tenant}
    made = operator.post("/api/orders/deliveries", json={"project": "Chats", "name": "First"}, headers=headers)
    assert made.status_code == 201, made.text
    found = v2.get_deliveries(project_id=project).deliveries
    assert [(one.name, one.task_count) for one in found] == [("First", 1)]
    page = v2.get_delivery(delivery_id=found[0].id)
    assert page.tasks[0].threads[0].turns
    rows = v2.get_delivery_tasks(delivery_id=found[0].id).docs
    assert rows[0].response["threads"]
    assert v2.get_schema(schema_id=rows[0].response_schema_id).var_schema.id == rows[0].response_schema_id
    assert [one.name for one in v2.get_datasets().datasets] == ["Chats"]
    assert [one.name for one in v2.get_dataset_deliveries(dataset_id=project).deliveries] == ["First"]
    assert len(v2.get_dataset_delivery(delivery_id=found[0].id).tasks) == 1
    assert len(v2.get_dataset_tasks(dataset_id=project).tasks) == 1
    assert v2.get_dataset_task(task_id=rows[0].task_id).response["threads"]
    # the file of a delivered task, followed to its bytes
    client = world.test
    file = client.upload_file(io.BytesIO(PNG))
    client.create_project("With files", TaskType.ImageAnnotation, BOX)
    task = client.create_task(TaskType.ImageAnnotation, project="With files", attachment=file.attachment_url)
    body = {"project": "With files", "name": "Second"}
    assert operator.post("/api/orders/deliveries", json=body, headers=headers).status_code == 201
    answer = v2.get_dataset_task_response_url_without_preload_content(task_id=task.id, attachment_id=file.id)
    assert answer.data == PNG
    # the generated method takes a redirect for an answer and nothing after it
    assert v2.get_dataset_task_response_url(task_id=task.id, attachment_id=file.id) is None


def test_every_public_method_of_the_client_works(world: World) -> None:
    with Calls() as calls:
        every_v1_method(world)
        teams_and_studio(world)
        quality_and_audits(world)
        every_v2_method(world)
    missing = set(public_methods()) - calls.made
    assert not missing, f"no test calls {sorted(missing)}"


def test_a_method_that_no_test_calls_is_noticed() -> None:
    class Wider(scaleapi.ScaleClient):
        def something_new(self) -> None:
            """A method of a later release."""

    assert "Wider.something_new" in public_methods((Wider,))
    with Calls() as calls:
        pass
    assert set(public_methods()) - calls.made == set(public_methods())
