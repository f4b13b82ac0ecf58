"""The server dies while drafts are sent by difference: what was acknowledged is kept, and the rest can be sent again.

Two editors draw at once, each in a task of its own. The server is killed with SIGKILL in the middle of what they send;
each sends again what it has no answer for, as the browser does, and the whole where the server asks for it. After each
kill the page is loaded anew: it shows what was acknowledged last, or the one change that was on its way.
"""

from __future__ import annotations

import json
import os
import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.stories.processes import house
from tests.stories.test_kill import prepare

KILLS = int(os.environ.get("CUPOLA_TEST_KILLS", "20"))
MASKS = 12
SPEC: dict[str, Any] = {"kind": "objects", "classes": [{"name": "mask"}]}
pytestmark = pytest.mark.slow


@dataclass
class Editor:
    """One opened editor: draws without end, remembers what it was told is kept, and what it has no answer for."""

    http: httpx.Client
    page: dict[str, Any]
    task: str
    seed: int
    objects: list[dict[str, Any]] = field(default_factory=list)
    rev: int = 0
    base: int = 0  # the newest revision that was acknowledged; 0: the whole is to be sent
    acknowledged: str = "[]"
    on_its_way: list[str] = field(default_factory=list)  # what was sent since, any of which may be kept
    kept: int = 0
    trouble: list[str] = field(default_factory=list)

    def draw(self, stop: threading.Event, dice: random.Random) -> None:
        try:
            while not stop.is_set():
                at = dice.randrange(min(len(self.objects) + 1, MASKS))
                self.objects[at : at + 1] = [self.mask(at, dice)]
                self.say({at}, stop, dice)
        except Exception as error:  # told by the test
            self.trouble.append(repr(error))

    def mask(self, at: int, dice: random.Random) -> dict[str, Any]:
        return {"id": f"m{at}", "cls": "mask", "rle": f"{self.rev}." + "7" * dice.randrange(3_000)}

    def say(self, changed: set[int], stop: threading.Event, dice: random.Random) -> None:
        """Sends what changed until there is an answer; what is drawn meanwhile goes with it."""
        while True:
            self.rev += 1
            answer = self.send(sorted(changed))
            if answer is not None and answer.status_code == 200:
                assert answer.json()["rev"] == self.rev
                self.base, self.acknowledged, self.on_its_way = self.rev, self.on_its_way[-1], []
                self.kept += 1
                return
            if answer is not None:
                assert answer.json()["code"] == "draft-base-missing", answer.text
                self.base, self.rev = 0, max(self.rev, int(answer.json()["rev"]))
            if stop.is_set():
                self.base = 0  # this editor is closed; the next one begins with the whole
                return
            at = dice.randrange(len(self.objects))
            self.objects[at] = self.mask(at, dice)
            changed.add(at)

    def send(self, changed: list[int]) -> httpx.Response | None:
        """None: nobody knows whether it arrived."""
        self.on_its_way.append(json.dumps(self.objects))
        path = f"/api/work/assignments/{self.page['id']}/drafts/{self.task}"
        body: dict[str, Any] = {"fence": self.page["fence"], "writer": f"w{self.seed}", "rev": self.rev}
        try:
            if not self.base:
                answer = self.http.put(path, json={**body, "label": {"kind": "objects", "objects": self.objects}})
            else:
                put = [[at, self.objects[at]] for at in changed]
                change = {"is": "objects", "put": put, "gone": []}
                answer = self.http.patch(path, json={**body, "base": self.base, "change": change})
        except httpx.TransportError:
            return None
        return None if answer.status_code == 503 else answer

    def load(self) -> list[dict[str, Any]]:
        """The page anew: what is kept of this task."""
        for _ in range(60):  # told to come back, as after a kill, it does
            answer = self.http.get(f"/api/work/assignments/{self.page['id']}")
            if answer.status_code != 503:
                break
            time.sleep(1)
        assert answer.status_code == 200, answer.text
        [task] = [one for one in answer.json()["tasks"] if one["task"] == self.task]
        found: list[dict[str, Any]] = (task.get("draft") or {"objects": []})["objects"]
        self.rev = max(self.rev, task["draft_rev"])
        return found


def test_what_was_acknowledged_of_a_draft_survives_every_kill_of_the_server() -> None:
    dice = random.Random(7)
    unanswered = 0
    with house({"fsync": "off"}) as place:
        scene = place.open()
        scenery = prepare(place, scene, 2, 8, SPEC)
        editors = []
        for n, worker in enumerate(scenery.crowd):
            http = httpx.Client(base_url=place.url, headers={"Authorization": f"Bearer {worker.token}"}, timeout=20)
            page = http.post(f"/api/work/projects/{scenery.project}/claim", json={}).json()
            editors.append(Editor(http, page, page["tasks"][0]["task"], n))
        for kill in range(KILLS):
            stop = threading.Event()
            drawing = [
                threading.Thread(target=one.draw, args=(stop, random.Random(f"{kill} {one.seed}"))) for one in editors
            ]
            goals = [one.kept + dice.randrange(2, 40) for one in editors]
            for thread in drawing:
                thread.start()
            end = time.monotonic() + 120
            while time.monotonic() < end and any(
                one.kept < goal and not one.trouble for one, goal in zip(editors, goals, strict=True)
            ):
                time.sleep(dice.uniform(0.0, 0.003))
            place.kill("serve")
            stop.set()
            for thread in drawing:
                thread.join(60)
            assert [one.trouble for one in editors] == [[], []]
            place.restart("serve")
            place.await_health()
            for one in editors:
                unanswered += len(one.on_its_way)
                found = one.load()
                # nothing that was acknowledged is lost; of what was on its way all is there, or nothing
                assert json.dumps(found) in (one.acknowledged, *one.on_its_way)
                # and what was drawn goes on from the editor's own journal, which holds all of it
                one.on_its_way = [json.dumps(found)]
        for one in editors:  # the last of it can be sent again
            one.say(set(), threading.Event(), dice)
            assert one.load() == one.objects
            assert one.kept > KILLS
            one.http.close()
        assert unanswered > 0, "no kill met anything on its way: the test says nothing"
