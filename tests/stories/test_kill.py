"""Kill test: clients work through the real HTTP API while Postgres, the server and the worker are killed at random.

SIGKILL to the postmaster and its children, to `cupola serve`, to `cupola worker`; answers are also lost on the way, as
they are when a connection breaks. Every client repeats a request until it has an answer. In the end what was
acknowledged is compared with what is stored: nothing lost, nothing doubled, L1-L12 hold.

fsync is off and the data lies in memory where possible: a killed process leaves what it wrote to the operating system,
so this says nothing about a loss of power.

Two controls must fail: with synchronous_commit=off acknowledged work is lost when Postgres is killed, and without
idempotency keys a repeated request takes effect twice.
"""

from __future__ import annotations

import json
import os
import random
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from cupola.app.stage import Scene, Worker
from cupola.client import Client
from cupola.kernel import ids
from tests.stories.processes import House, house, wait_until

KILLS = int(os.environ.get("CUPOLA_TEST_KILLS", "20"))  # `make nightly` does 60
TASKS = 200 * KILLS
SPEC = {"kind": "choice", "classes": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}
pytestmark = pytest.mark.slow


@dataclass
class Acknowledged:
    """What the clients were told, under a lock."""

    judgements: dict[str, tuple[str, int]] = field(default_factory=dict)  # id -> (class, paid)
    funded: list[int] = field(default_factory=list)
    intended: list[int] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    trouble: list[str] = field(default_factory=list)


class Stubborn:
    """A client that repeats a request until it has an answer; some answers are lost on the way."""

    def __init__(self, url: str, token: str, *, seed: int, keys: bool, lose: float) -> None:
        self._http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=20)
        self._dice = random.Random(seed)
        self._keys = keys
        self._lose = lose
        self.repeated = 0

    def post(self, path: str, body: Any) -> httpx.Response:
        headers = {"Idempotency-Key": str(ids.uuid7())} if self._keys else {}
        end = time.monotonic() + 120
        while time.monotonic() < end:
            try:
                answer = self._http.post(path, json=body, headers=headers)
                if self._dice.random() < self._lose:
                    raise httpx.ReadError("the answer was lost on the way")
            except httpx.TransportError:
                self.repeated += 1
                time.sleep(0.1)
                continue
            if answer.status_code == 503:
                assert int(answer.headers["retry-after"]) > 0
                self.repeated += 1
                time.sleep(0.2)
                continue
            return answer
        raise AssertionError(f"no answer to POST {path} for two minutes")

    def close(self) -> None:
        self._http.close()


@dataclass
class Scenery:
    project: str
    tenant: str
    key: str
    owner: Client
    crowd: list[Worker]


def prepare(house: House, scene: Scene, workers: int, tasks: int, spec: dict[str, Any] | None = None) -> Scenery:
    """A live project with money and a crowd, all through the API."""
    tenant = scene.organisation("Kill test")
    scene.operator.act_for(tenant)
    key = scene.operator.post("/api/keys", {"name": "kill"})["key"]
    client = Client(house.url, key)
    scene.fund(tenant, 10_000_000)
    dataset = client.post("/api/datasets", {"name": "texts"})["id"]
    manifest = house.folder / "items.jsonl"
    manifest.write_text("".join(json.dumps({"ref": f"t{n}", "text": f"text {n}"}) + "\n" for n in range(tasks)))
    upload = client.upload(f"/api/datasets/{dataset}/uploads?name=items.jsonl", manifest)
    source = {"type": "upload", "upload": upload["upload"]}
    run = client.post(f"/api/datasets/{dataset}/imports", {"source": source})["id"]
    wait_until(lambda: client.get(f"/api/imports/{run}")["state"] in ("done", "failed"), 90, "the import")
    assert client.get(f"/api/imports/{run}")["accepted"] == tasks
    version = client.post("/api/ontologies", {"name": "abc", "spec": spec or SPEC})["version_id"]
    plan = {"target_accuracy": 0.9, "max_judgements": 2, "gold_rate": 0.0}
    body = {"name": "killed", "dataset": dataset, "ontology_version": version, "plan": plan, "page_size": 4}
    project = client.post("/api/projects", {**body, "offer": {"price_minor": 7}, "lease_s": 3_600})["id"]
    client.post(f"/api/projects/{project}/tasks", {})
    client.post(f"/api/projects/{project}/allot", {"amount_minor": 5_000_000})
    client.post(f"/api/projects/{project}/launch")
    return Scenery(project, tenant, key, client, scene.crowd([f"c{n}" for n in range(workers)], [tenant]))


def work(client: Stubborn, project: str, told: Acknowledged, stop: threading.Event, value: str) -> None:
    while not stop.is_set():
        claimed = client.post(f"/api/work/projects/{project}/claim", {})
        if claimed.status_code == 204:
            return
        assert claimed.status_code == 200, claimed.text
        page = claimed.json()
        judgements = [
            {"task": one["task"], "label": {"kind": "choice", "values": [value]}, "seconds": 1.0}
            for one in page["tasks"]
        ]
        body = {"fence": page["fence"], "judgements": judgements}
        done = client.post(f"/api/work/assignments/{page['id']}/submit", body)
        assert done.status_code == 200, done.text
        with told.lock:
            for one in done.json()["judgements"]:
                assert one["judgement"] not in told.judgements, "one judgement was acknowledged for two tasks"
                told.judgements[one["judgement"]] = (value, one["paid_minor"])


def pay_in(client: Stubborn, project: str, told: Acknowledged, stop: threading.Event) -> None:
    amount = 0
    while not stop.is_set():
        amount += 1
        with told.lock:
            told.intended.append(amount)
        done = client.post(f"/api/projects/{project}/allot", {"amount_minor": amount})
        assert done.status_code == 201, done.text
        with told.lock:
            told.funded.append(amount)
        stop.wait(0.02)


class Load:
    """Threads of clients that run until told to stop; each finishes what it began."""

    def __init__(self, house: House, scenery: Scenery, *, keys: bool = True, lose: float = 0.02) -> None:
        self.told = Acknowledged()
        self._stop = threading.Event()
        self._clients: list[Stubborn] = []
        jobs: list[Any] = []
        for n, worker in enumerate(scenery.crowd):
            client = Stubborn(house.url, worker.token, seed=n, keys=keys, lose=lose)
            self._clients.append(client)
            jobs.append((work, (client, scenery.project, self.told, self._stop, "abc"[n % 3])))
        payer = Stubborn(house.url, scenery.key, seed=99, keys=keys, lose=max(lose, 0.2))
        self._clients.append(payer)
        jobs.append((pay_in, (payer, scenery.project, self.told, self._stop)))
        self._threads = [threading.Thread(target=self._guard, args=job, daemon=True) for job in jobs]
        for thread in self._threads:
            thread.start()

    def _guard(self, job: Any, args: Any) -> None:
        try:
            job(*args)
        except BaseException as error:
            with self.told.lock:
                self.told.trouble.append(f"{type(error).__name__}: {error}")

    def end(self) -> Acknowledged:
        self._stop.set()
        for thread in self._threads:
            thread.join(150)
            assert not thread.is_alive(), "a client never came to an end"
        for client in self._clients:
            client.close()
        return self.told

    @property
    def repeated(self) -> int:
        return sum(client.repeated for client in self._clients)


def stored(house: House, project: str) -> dict[str, tuple[str, int]]:
    rows = house.sql(
        "SELECT id::text, label::jsonb -> 'values' ->> 0, price_minor FROM judgement WHERE project = %s", project
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def allotted(house: House, setup_minor: int = 5_000_000) -> list[int]:
    rows = house.sql("SELECT amount_minor FROM transfer WHERE kind = 'allot' ORDER BY amount_minor")
    amounts = [row[0] for row in rows]
    amounts.remove(setup_minor)
    return amounts


def test_kills_lose_nothing_that_was_acknowledged_and_double_nothing() -> None:
    dice = random.Random(20)
    victims = ["postgres", "serve", "worker"] * (KILLS // 3 + 1)
    dice.shuffle(victims)
    with house({"fsync": "off"}) as place:
        scene = place.open()
        scenery = prepare(place, scene, workers=5, tasks=TASKS)
        load = Load(place, scenery)
        for victim in victims[:KILLS]:
            time.sleep(dice.uniform(0.2, 1.2))
            place.kill(victim)
            place.restart(victim)
            place.await_health()
        told = load.end()
        assert told.trouble == []
        assert load.repeated > 0
        kept = stored(place, scenery.project)
        print(f"{KILLS} kills, {len(told.judgements)} judgements acknowledged, {load.repeated} requests repeated")
        assert len(told.judgements) > 100, "too little work was done for the test to say anything"
        assert {one for one in told.judgements if one not in kept} == set(), "acknowledged judgements were lost"
        assert kept == told.judgements
        assert (place.sql("SELECT count(*), count(DISTINCT (task, worker)) FROM judgement")[0]) == (
            len(kept),
            len(kept),
        )
        assert allotted(place) == sorted(told.funded) == sorted(told.intended)
        paid = place.sql("SELECT coalesce(sum(balance_minor), 0)::bigint FROM account WHERE type = 'worker'")
        assert paid == [(sum(paid_minor for _, paid_minor in kept.values()),)]
        assert scene.operator.get("/api/ledger/check")["violations"] == []
        # and nobody's decision was lost with the worker: every judged task is decided or asks for one more
        wait_until(lambda: not waiting(place), 60, f"decisions on {len(waiting(place))} tasks; {place.log('worker')}")


def waiting(place: House) -> list[tuple]:
    return place.sql("SELECT id FROM task WHERE state = 1 AND judged > 0 AND open_slots = 0 AND leased = 0 LIMIT 10")


def test_control_without_synchronous_commit_acknowledged_work_is_lost() -> None:
    # a lazy log writer makes certain what is otherwise a matter of luck
    lazy = {"fsync": "off", "synchronous_commit": "off", "wal_writer_delay": "10s"}
    with house(lazy) as place:
        scene = place.open()
        scenery = prepare(place, scene, workers=4, tasks=600)
        place.sql("SELECT pg_switch_wal()")
        load = Load(place, scenery)
        wait_until(lambda: len(load.told.judgements) > 60, 60, "some acknowledged work")
        place.kill("postgres")
        place.restart("postgres")
        place.await_health()
        told = load.end()
        kept = stored(place, scenery.project)
        assert set(told.judgements) - set(kept), "the control lost nothing: the test would not notice a loss"


def test_control_without_idempotency_keys_a_repeated_request_takes_effect_twice() -> None:
    with house({"fsync": "off"}) as place:
        scene = place.open()
        scenery = prepare(place, scene, workers=1, tasks=40)
        load = Load(place, scenery, keys=False, lose=0.2)
        wait_until(lambda: len(load.told.funded) > 30, 60, "some acknowledged payments")
        told = load.end()
        assert told.trouble == []
        have = allotted(place)
        assert set(have) == set(told.intended)
        assert len(have) > len(told.intended), "the control doubled nothing: the test would not notice it"
        assert scene.operator.get("/api/ledger/check")["violations"] == [], "the books stay right all the same"


def test_the_folder_of_a_house_is_gone_at_its_end() -> None:
    with house() as place:
        folder = place.folder
        assert Path(folder).is_dir()
    assert not Path(folder).exists()
