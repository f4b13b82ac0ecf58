"""A team changes one URL and one key: its client orders boxes, a person draws them in a browser, its receiver is told,
it rejects one, another person does it again, and the ledger holds."""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw
from scaleapi.tasks import TaskReviewStatus, TaskType

from cupola.app import stage
from cupola.client import Client
from cupola.client.scale import scale_client
from cupola.platform.pg.cluster import Cluster
from tests.conftest import reachable_folder
from tests.scale.conftest import until
from tests.scale.receiver import Receiver

ROOT = Path(__file__).resolve().parents[2]
SIDE_PX = 320
BOX = (40, 60, 200, 180)
TASKS = 20
CHROMIUM = os.environ.get("CUPOLA_CHROMIUM", "/usr/bin/chromium")
needs_browser = pytest.mark.skipif(
    shutil.which("node") is None
    or not Path(CHROMIUM).exists()
    or not (ROOT / "web/node_modules/playwright-core").is_dir()
    or not (ROOT / "src/cupola/web/dist/index.html").is_file(),
    reason="needs node, Chromium, web/node_modules and the built browser app",
)


def picture() -> bytes:
    out = io.BytesIO()
    image = Image.new("RGB", (SIDE_PX, SIDE_PX), "white")
    ImageDraw.Draw(image).rectangle(BOX, fill="black")
    image.save(out, "PNG")
    return out.getvalue()


def draw(url: str, login: stage.Login, project: str, count: int) -> None:
    """Let a person draw boxes in a browser."""
    told = {"url": url, "email": login.email, "password": login.password, "project": project, "count": count}
    done = subprocess.run(
        ["node", str(ROOT / "tests/stories/draw_boxes.mjs"), json.dumps({**told, "side": SIDE_PX, "box": BOX})],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3_000:]


def agree(others: list[Client], project: str, done: Callable[[], bool]) -> None:
    """Let programs draw nearly the same boxes until something is true."""

    def judge(task: dict[str, Any]) -> tuple[dict[str, Any], float]:
        shape = {"type": "box", "x": BOX[0] + 1, "y": BOX[1], "w": BOX[2] - BOX[0], "h": BOX[3] - BOX[1]}
        return {"kind": "objects", "objects": [{"id": "o1", "cls": "car", "shape": shape}]}, 3.0

    def round_and_check() -> bool:
        for other in others:
            stage.work_page(other, project, judge)
        return done()

    until(round_and_check, "answered", 60)


def overlap(one: dict[str, Any]) -> float:
    """Intersection over union of an annotation with the box that was to be drawn."""
    wide = min(one["left"] + one["width"], BOX[2]) - max(one["left"], BOX[0])
    high = min(one["top"] + one["height"], BOX[3]) - max(one["top"], BOX[1])
    common = max(wide, 0) * max(high, 0)
    return float(common / (one["width"] * one["height"] + (BOX[2] - BOX[0]) * (BOX[3] - BOX[1]) - common))


@needs_browser
def test_boxes_ordered_by_the_public_client_are_drawn_in_a_browser_told_read_rejected_and_redone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CUPOLA_ALLOWED_HOSTS", "127.0.0.1")
    folder = reachable_folder("cupola-story-")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    try:
        with stage.server(folder / "data", port, folder / "log") as (url, token), Receiver([500, 503]) as receiver:
            the_story(stage.Scene(url, token), receiver)
    finally:
        if (folder / "data").is_dir():
            Cluster.stop(folder / "data", force=True)
            Cluster.destroy(folder / "data")
        shutil.rmtree(folder, ignore_errors=True)


def the_story(scene: stage.Scene, receiver: Receiver) -> None:
    tenant = scene.organisation("A team")
    scene.fund(tenant, 100_000)
    ours = scene.key(tenant, "ours")
    ours.put("/api/orders/terms", {"price_minor": 7, "page_size": TASKS})
    first, second = scene.contributor("Ada First"), scene.contributor("Ben Second")
    # nobody settles an order alone: two programs look at each picture after the person in the browser
    others = [Client(scene.url, one.token) for one in scene.crowd([f"Other {n}" for n in range(8)])]
    scene.operator.act_for(tenant)
    client = scale_client(scene.url, scene.operator.post("/api/keys", {"name": "their pipeline"})["key"])

    boxes = {"box": {"objects_to_annotate": ["car", "van"]}}
    client.create_project("Street", TaskType.ImageAnnotation, {"instruction": "Box the car.", "geometries": boxes})
    client.create_batch("Street", "May", callback=receiver.url + "/batch")
    file = client.upload_file(io.BytesIO(picture()), display_name="street.png")
    tasks = [
        client.create_task(
            TaskType.ImageAnnotation,
            project="Street",
            batch="May",
            attachment=file.attachment_url,
            unique_id=f"street-{n}",
            callback_url=receiver.url,
        )
        for n in range(TASKS)
    ]
    until(lambda: all(one.waiting_for == "work" for one in client.get_tasks("Street")), "in the queue", 60)
    [project] = ours.get("/api/projects")["items"]
    draw(scene.url, first, project["id"], TASKS)

    agree(others[:4], project["id"], lambda: client.batch_status("May").get("completed") == TASKS)
    until(lambda: all(one.as_dict().get("callback_succeeded") for one in client.get_tasks("Street")), "told", 120)
    told = {}
    for got in receiver.got:
        if got.headers["cupola-event"] == "order.completed":
            told.setdefault(got.body["task_id"], []).append(got)
    assert {len(tries) for tries in told.values()} == {3}, "each failed twice and arrived the third time"
    for task in client.get_tasks("Street"):
        [annotation] = task.response["annotations"]
        assert annotation["label"] == "car"
        assert overlap(annotation) > 0.95
        assert told[task.id][-1].body["response"] == task.response
    assert client.batch_status("May") == {"status": "completed", "completed": TASKS}

    tasks[3].audit(False, "The mirror is missing.")
    tasks[4].audit(True)
    assert client.get_task(tasks[3].id).status == "pending"
    draw(scene.url, second, project["id"], 1)
    agree(others[4:], project["id"], lambda: client.get_task(tasks[3].id).status == "completed")
    assert [one.id for one in client.get_tasks("Street", review_status=TaskReviewStatus.Accepted)] == [tasks[4].id]

    checked = scene.operator.get("/api/ledger/check")
    assert checked["violations"] == []
    [project] = ours.get("/api/projects")["items"]
    assert project["judgements"] >= 2 * (TASKS + 1)
