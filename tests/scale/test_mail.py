"""Callbacks to people: by mail where the operator named a mail server, and refused at creation where there is none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from scaleapi.exceptions import ScaleInvalidRequest
from scaleapi.tasks import TaskType

from cupola.app import worker
from cupola.kernel import clock
from cupola.kernel.errors import Problem
from cupola.platform.mail import server_of
from cupola.platform.pg.cluster import Cluster
from cupola.platform.sweeping import service as sweeping
from tests.scale.conftest import ROUTERS, World, new_world, until
from tests.scale.mailbox import Mailbox
from tests.serving import fresh_serving, template

WORDS: dict[str, Any] = {"attachment_type": "text", "categories": ["cat", "dog"]}


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as opened:
        yield opened


@pytest.fixture(scope="module")
def mailing(cluster: Cluster, mailbox: Mailbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("mail")
    with fresh_serving(
        cluster, template(cluster), folder, ROUTERS, allowed_hosts=("127.0.0.1",), smtp_url=mailbox.url
    ) as opened:
        stop = opened.call(worker.start)
        try:
            yield new_world(opened)
        finally:
            opened.call(lambda _: stop())


def log(world: World, task: str) -> list[dict[str, Any]]:
    key = world.served.client(Authorization=f"Bearer {world.test_key}")
    items: list[dict[str, Any]] = key.get("/api/orders/callbacks", params={"task": task}).json()["items"]
    return items


def test_without_a_mail_server_an_address_is_refused_at_creation(world: World) -> None:
    with pytest.raises(ScaleInvalidRequest, match="callback_url: this instance sends no mail"):
        world.live.create_task(TaskType.Categorization, attachment="x", callback_url="ann@example.org", **WORDS)
    world.live.create_project("P", TaskType.Categorization)
    with pytest.raises(ScaleInvalidRequest, match="callback: this instance sends no mail"):
        world.live.create_batch("P", "B", callback="ann@example.org")


def test_a_callback_to_an_address_is_mailed_with_the_body_a_receiver_would_get(
    mailing: World, mailbox: Mailbox
) -> None:
    task = mailing.test.create_task(
        TaskType.Categorization, attachment="x", callback_url="ann@example.org", metadata={"für": "Ann"}, **WORDS
    )
    until(lambda: mailing.test.get_task(task.id).as_dict().get("callback_succeeded") is True, "mailed")
    [message] = [one for one in mailbox.got if one["To"] == "ann@example.org"]
    assert message["From"] == "cupola@example.org"
    assert message["Subject"] == f"Cupola: completed {task.id}"
    assert message["Cupola-Event"] == "order.completed"
    body = json.loads(message.get_content())
    assert (body["task_id"], body["status"], body["task"]["metadata"]) == (task.id, "completed", {"für": "Ann"})
    assert [one["state"] for one in log(mailing, task.id)] == ["delivered"]


def test_mail_that_does_not_go_out_is_tried_again_and_its_trouble_told(mailing: World, mailbox: Mailbox) -> None:
    mailbox.down = 1
    task = mailing.test.create_task(TaskType.Categorization, attachment="x", callback_url="bob@example.org", **WORDS)
    row = until(lambda: [one for one in log(mailing, task.id) if one["last_error"]], "the first try is noted")[0]
    assert (row["state"], row["tries"]) == ("waiting", 1)
    assert "421" in row["last_error"]
    clock.advance(timedelta(seconds=60))
    until(lambda: mailing.test.get_task(task.id).as_dict().get("callback_succeeded") is True, "mailed after all")
    assert "bob@example.org" in mailbox.receivers


def test_a_refused_address_says_what_the_mail_server_said(mailing: World, mailbox: Mailbox) -> None:
    task = mailing.test.create_task(TaskType.Categorization, attachment="x", callback_url="no-one@example.org", **WORDS)
    row = until(lambda: [one for one in log(mailing, task.id) if one["last_error"]], "noted")[0]
    assert "550 nobody of that name" in row["last_error"]


@pytest.mark.parametrize(
    "address",
    ["Ann <ann@example.org>", "ann@example.org, bob@example.org", "ann@example.org\nBcc: all@example.org", "@", "a@",
     "a@b@c", "ann@exa mple.org", "ä@example.org"],
)  # fmt: skip
def test_one_plain_address_is_taken_and_nothing_else(mailing: World, address: str) -> None:
    with pytest.raises(ScaleInvalidRequest, match="callback_url"):
        mailing.live.create_task(TaskType.Categorization, attachment="x", callback_url=address, **WORDS)


@pytest.mark.parametrize("url", ["", "smtp://host", "http://host?from=a@b.c", "smtp://:25?from=a@b.c",
                                 "smtp://host:port?from=a@b.c", "smtp://host?from=nobody"])  # fmt: skip
def test_a_setting_that_names_no_mail_server_is_refused_by_its_name(url: str) -> None:
    with pytest.raises(Problem) as refused:
        server_of(url)
    assert refused.value.place == "CUPOLA_SMTP_URL"


def test_the_log_of_callbacks_forgets_what_is_done_after_thirty_days(mailing: World) -> None:
    task = mailing.test.create_task(TaskType.Categorization, attachment="x", callback_url="eve@example.org", **WORDS)
    until(lambda: mailing.test.get_task(task.id).as_dict().get("callback_succeeded") is True, "mailed")
    clock.advance(timedelta(days=31))
    try:
        assert mailing.served.call(lambda run: sweeping.sweep(run.db))["callbacks"] >= 1
        assert log(mailing, task.id) == []
        assert mailing.test.get_task(task.id).as_dict()["callback_succeeded"] is True
    finally:
        clock.advance(timedelta(days=-31))
