"""The database or the blob store goes away under load: 503 with Retry-After, nothing acknowledged is lost."""

from __future__ import annotations

import io
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from PIL import Image

from cupola.app.stage import Scene
from cupola.client import Client
from tests.stories.processes import House, house, wait_until
from tests.stories.test_kill import Load, prepare, stored, waiting

pytestmark = pytest.mark.slow


def test_while_the_database_is_away_every_request_is_told_when_to_come_back() -> None:
    # a server would start it again by itself; here it is to stay away
    with house({"fsync": "off"}, {"CUPOLA_REVIVE": "0"}) as place:
        scene = place.open()
        scenery = prepare(place, scene, workers=4, tasks=600)
        load = Load(place, scenery, lose=0.0)
        wait_until(lambda: len(load.told.judgements) > 40, 60, "some work")
        place.kill("postgres")
        key = {"Authorization": f"Bearer {scenery.key}"}
        worker = {"Authorization": f"Bearer {scenery.crowd[0].token}"}
        requests = [
            ("GET", f"/api/projects/{scenery.project}", key, None),
            ("GET", "/api/projects", key, None),
            ("GET", f"/api/projects/{scenery.project}/judgements", key, None),
            ("GET", "/api/work/earnings", worker, None),
            ("GET", "/api/work/offers", worker, None),
            ("POST", f"/api/work/projects/{scenery.project}/claim", worker, {}),
            ("POST", f"/api/projects/{scenery.project}/allot", key, {"amount_minor": 1}),
            ("POST", "/api/datasets", key, {"name": "late"}),
            ("POST", "/api/session", {}, {"email": "a@example.org", "password": "not a password"}),
        ]

        def ask(request: tuple[str, str, dict[str, str], object]) -> tuple[str, int, bool, bool]:
            method, path, headers, body = request
            answer = httpx.request(method, place.url + path, headers=headers, json=body, timeout=60)
            later = int(answer.headers.get("retry-after", "0")) > 0
            return path, answer.status_code, later, "Nothing acknowledged is lost" in answer.text

        with ThreadPoolExecutor(len(requests)) as pool:
            said = list(pool.map(ask, requests))
        assert [one[1:] for one in said] == [(503, True, True)] * len(requests), said
        health = httpx.get(f"{place.url}/api/health", timeout=60)
        assert (health.status_code, health.json()["database"]) == (503, "unreachable")
        place.restart("postgres")
        place.await_health()
        before = len(load.told.judgements)
        wait_until(lambda: len(load.told.judgements) > before + 20, 60, "work to go on by itself")
        told = load.end()
        assert told.trouble == []
        assert stored(place, scenery.project) == told.judgements
        assert scene.operator.get("/api/ledger/check")["violations"] == []
        wait_until(lambda: not waiting(place), 60, "the worker to take up its work again")


def picture(number: int) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (16, 16), (number % 256, number // 256, 90)).save(made, "PNG")
    return made.getvalue()


def test_while_the_blob_store_is_away_uploads_are_told_so_and_none_that_was_acknowledged_is_lost() -> None:
    with house({"fsync": "off"}) as place:
        scene = place.open()
        tenant = scene.organisation("Blobs")
        key = scene.key(tenant, "blobs")
        dataset = key.post("/api/datasets", {"name": "pictures"})["id"]
        blobs, away = place.data / "blobs", place.data / "blobs.away"
        uploaded: dict[int, str] = {}
        statuses: set[int] = set()
        trouble: list[str] = []
        stop = threading.Event()

        def upload() -> None:
            client = Uploader(place, scene_key(scene, tenant), dataset)
            n = 0
            while not stop.is_set():
                answer = client.put(n)
                statuses.add(answer.status_code)
                if answer.status_code == 201:
                    uploaded[n] = answer.json()["upload"]
                    n += 1
                elif answer.status_code == 503 and int(answer.headers["retry-after"]) > 0:
                    time.sleep(0.1)
                else:
                    trouble.append(answer.text)
                    return

        thread = threading.Thread(target=upload, daemon=True)
        thread.start()
        for blocked in (False, True):
            have = len(uploaded)
            wait_until(lambda have=have: len(uploaded) > have + 10, 60, f"uploads; {trouble}")
            statuses.clear()
            blobs.rename(away)
            if blocked:
                blobs.write_text("a file where the folder was")
            wait_until(lambda: 503 in statuses or trouble, 60, "an upload to be refused")
            blobs.unlink(missing_ok=True)
            away.rename(blobs)
        have = len(uploaded)
        wait_until(lambda: len(uploaded) > have + 10 or trouble, 60, "uploads to go on")
        stop.set()
        thread.join(30)
        assert trouble == []
        manifest = [{"source": {"type": "upload", "upload": one}} for one in uploaded.values()]
        runs = [key.post(f"/api/datasets/{dataset}/imports", one)["id"] for one in manifest]
        wait_until(lambda: all(state(key, run) in ("done", "failed") for run in runs), 90, "the imports")
        refused = [json.dumps(key.get(f"/api/imports/{run}")) for run in runs if state(key, run) != "done"]
        assert refused == []
        assert key.get(f"/api/datasets/{dataset}")["items"] == len(uploaded)


class Uploader:
    def __init__(self, place: House, token: str, dataset: str) -> None:
        self._http = httpx.Client(base_url=place.url, headers={"Authorization": f"Bearer {token}"}, timeout=30)
        self._dataset = dataset

    def put(self, number: int) -> httpx.Response:
        path = f"/api/datasets/{self._dataset}/uploads"
        return self._http.put(path, params={"name": f"{number}.png"}, content=picture(number))


def scene_key(scene: Scene, tenant: str) -> str:
    scene.operator.act_for(tenant)
    return str(scene.operator.post("/api/keys", {"name": "uploader"})["key"])


def state(key: Client, run: str) -> str:
    return str(key.get(f"/api/imports/{run}")["state"])
