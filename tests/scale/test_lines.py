"""Lines and what they need: attachments that come late, money that goes where it is waited for, a stop that ends."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image
from scaleapi.tasks import TaskType

from tests.scale.conftest import World, until
from tests.stories.processes import free_port

KIND = TaskType.Categorization
ENOUGH_FOR_ONE = 100  # minor units: the judgements that one order may need cost 60 to 65


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 64), "white").save(out, "PNG")
    return out.getvalue()


@contextmanager
def pictures(port: int, refusals: list[int]) -> Iterator[None]:
    """A host of pictures: answers with these statuses first."""
    data = picture()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(refusals.pop(0) if refusals else 200)
            self.send_header("Content-Type", "image/png")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def boxes(world: World, url: str) -> Any:
    shapes = {"box": {"objects_to_annotate": ["car"]}}
    return world.live.create_task(TaskType.ImageAnnotation, attachment=url, geometries=shapes)


def test_a_host_that_is_away_delays_its_own_task_alone_and_fails_none(world: World) -> None:
    world.fund()
    client, port = world.live, free_port()
    late = [boxes(world, f"http://127.0.0.1:{port}/{n}.png") for n in range(3)]
    until(lambda: client.get_task(late[0].id).waiting_for == "attachment", "asked for")
    words = client.create_task(KIND, attachment="It barks.", attachment_type="text", categories=["a", "b"])
    until(lambda: client.get_task(words.id).waiting_for == "work", "in the queue, whatever else is away")
    # nobody listens, then the host is overloaded, then it answers
    with pictures(port, [503, 429]):
        until(
            lambda: all(client.get_task(one.id).as_dict().get("waiting_for") == "work" for one in late), "fetched", 60
        )


def test_an_attachment_that_is_wrong_fails_its_task_at_once(world: World) -> None:
    world.fund()
    port = free_port()
    with pictures(port, [404]):
        gone = boxes(world, f"http://127.0.0.1:{port}/gone.png")
        until(lambda: world.live.get_task(gone.id).status == "error", "failed")
    assert "404" in world.live.get_task(gone.id).error


def order(world: World, *categories: str) -> Any:
    return world.live.create_task(KIND, attachment="It barks.", attachment_type="text", categories=list(categories))


def waits(world: World, task: Any, what: str) -> None:
    def shown() -> Any:
        return world.live.get_task(task.id).as_dict().get("waiting_for")

    try:
        until(lambda: shown() == what, f"waits for {what}")
    except AssertionError:
        rows = world.sql("SELECT kind, tries, outages, reason, due_at, failed_at FROM job")
        raise AssertionError(f"waits for {shown()}, not for {what}; jobs: {rows}") from None


def test_money_of_a_cancelled_task_goes_to_the_one_that_waits_for_it(world: World) -> None:
    world.fund(ENOUGH_FOR_ONE)
    first = order(world, "a", "b")
    waits(world, first, "work")
    second = order(world, "c", "d")
    waits(world, second, "budget")
    first.cancel()
    waits(world, second, "work")
    assert world.sql("SELECT count(*) FROM order_line WHERE tenant = %s", world.owner.tenant) == [(2,)]


def test_a_line_that_is_stopped_ends_its_tasks_wakes_who_waits_and_is_replaced(world: World) -> None:
    world.fund(ENOUGH_FOR_ONE)
    first = order(world, "a", "b")
    waits(world, first, "work")
    [(project,)] = world.sql("SELECT id FROM project WHERE tenant = %s", world.owner.tenant)
    second = order(world, "c", "d")
    waits(world, second, "budget")
    assert world.owner.client.post(f"/api/projects/{project}/stop").status_code == 200
    ended = until(lambda: (one := world.live.get_task(first.id)).status == "error" and one, "ended")
    assert "stopped" in ended.error
    waits(world, second, "work")
    world.fund(ENOUGH_FOR_ONE)
    third = order(world, "a", "b")
    waits(world, third, "work")
    rows = world.sql("SELECT closed_at IS NOT NULL FROM order_line WHERE tenant = %s ORDER BY id", world.owner.tenant)
    assert [row[0] for row in rows] == [True, False, False]
