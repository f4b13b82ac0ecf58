"""Server-sent events: over real connections, with writers that commit out of order."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest

from cupola.platform import events, store, stream
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime
from cupola.platform.stream import Stream
from tests.serving import Serving

APPEND = "SELECT event_append(%s, %s, NULL, NULL, %s, now())"


@contextmanager
def listening(client: httpx.Client, last: str | None = None, tenant: str = "") -> Iterator[Iterator[dict[str, Any]]]:
    """The frames of a stream as {"id", "data"?}; a comment comes as {"comment"}."""
    headers = {"Last-Event-ID": last} if last else {}
    with client.stream("GET", "/events", headers=headers, params={"tenant": tenant} if tenant else {}) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield frames(answer)


def frames(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    frame: dict[str, Any] = {}
    for line in answer.iter_lines():
        name, _, value = line.partition(":")
        if line.startswith(":"):
            frame["comment"] = value.strip()
        elif name == "data":
            frame["data"] = json.loads(value)
        elif name == "id":
            frame["id"] = value.strip()
        if not line:
            if frame:
                yield frame
            frame = {}


def write(url: str, tenant: str, data: list[dict[str, int]], pause_s: float = 0.0) -> list[int]:
    """Append events in one transaction that stays open for a while; their numbers."""
    with psycopg.connect(url, options="-c search_path=cupola") as conn:
        conn.execute("SELECT set_config('app.tenant', %s, true)", (tenant,))
        seqs = []
        for one in data:
            row = conn.execute(APPEND, (tenant, "test.written", json.dumps(one))).fetchone()
            assert row is not None
            seqs.append(int(row[0]))
            time.sleep(pause_s)
        return seqs


def test_a_stream_that_breaks_again_and_again_under_concurrent_writers_loses_and_doubles_nothing(
    served: Serving,
) -> None:
    owner = served.owner("Streaming")
    dice = random.Random(7)
    written: list[int] = []
    seen: list[tuple[int, int, int]] = []
    all_written = threading.Event()
    lock = threading.Lock()

    def read() -> None:
        last: str | None = None
        lives = 0
        while True:
            lives += 1
            life = 0
            with listening(owner.client, last) as stream_of_frames:
                for frame in stream_of_frames:
                    last = frame.get("id", last)
                    if "data" in frame:
                        assert frame["data"]["id"] == frame["id"]
                        seen.append(stream.parse_id(frame["id"]))
                        life += 1
                    started.set()
                    if all_written.is_set():
                        with lock:
                            if len(seen) >= len(written):
                                return
                    if life >= 23:
                        break

    started = threading.Event()
    with ThreadPoolExecutor(9) as pool:
        reader = pool.submit(read)
        assert started.wait(20)
        jobs = [
            pool.submit(write, served.admin_url, owner.tenant, [{"n": n}, {"n": -n}], dice.random() * 0.08)
            for n in range(150)
        ]
        for job in jobs:
            written += job.result(60)
        # one more, held back until all else is written, so that the reader wakes up and sees that it has everything
        with lock:
            all_written.set()
            written += write(served.admin_url, owner.tenant, [{"last": 1}])
        reader.result(60)
    assert sorted(seq for *_, seq in seen) == sorted(written)
    assert seen == sorted(seen), "in the order of the table's tail"
    assert [seq for *_, seq in seen] != sorted(written), "the writers did commit out of order, or this shows nothing"


def test_what_happens_between_the_read_of_the_table_and_the_first_of_the_tail_is_not_lost(served: Serving) -> None:
    tenant = UUID(served.owner("Between").tenant)

    class Late(Stream):
        """Its tail starts late: what is written meanwhile lies behind the first read and before the tail."""

        async def _start_tail(self) -> None:
            async with self._db.tx(Role.APP, tenant=tenant) as conn:
                self.between = await events.emit(conn, tenant, "test.between", None)
            await super()._start_tail()

    async def listen(runtime: Runtime) -> tuple[int, list[int]]:
        fan = Late(runtime.db)
        heard: list[int] = []
        async for event in fan.listen(tenant, None):
            if event is not None and not isinstance(event, tuple):
                heard.append(event.seq)
                break
        await fan.close()
        return fan.between, heard

    between, heard = served.call(listen)
    assert heard == [between]


def test_a_tenant_hears_its_own_events_only(served: Serving) -> None:
    one, two = served.owner("Hears"), served.owner("Is not heard")
    with listening(one.client) as heard:
        assert "id" in next(heard), "the place it starts from comes first"
        write(served.admin_url, two.tenant, [{"secret": 1}])
        write(served.admin_url, one.tenant, [{"mine": 1}])
        frame = next(heard)
        assert frame["data"]["data"] == {"mine": 1}
        assert set(frame["data"]) == {"id", "kind", "at", "subject", "project", "data"}
    assert two.client.get("/events", params={"tenant": one.tenant}).status_code == 404
    assert served.client().get("/events").status_code == 401


def test_the_table_is_read_only_while_somebody_listens(served: Serving) -> None:
    owner = served.owner("Quiet")
    with listening(owner.client) as heard:
        next(heard)
        write(served.admin_url, owner.tenant, [{"n": 1}])
        next(heard)
        assert served.app.state.stream.tailing
    end = time.monotonic() + 10
    while (served.app.state.stream.tailing or served.app.state.stream.listeners) and time.monotonic() < end:
        time.sleep(0.05)
    assert not served.app.state.stream.tailing
    assert served.app.state.stream.listeners == 0


def test_a_stream_ends_with_its_key_and_beats_until_then(served: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_S", 0.2)
    owner = served.owner("Ending")
    with served.key(owner) as client, listening(client) as heard:
        next(heard)
        assert any("comment" in frame for _, frame in zip(range(5), heard, strict=False))
        (key,) = owner.client.get("/api/keys").json()["items"]
        owner.client.delete(f"/api/keys/{key['id']}")
        end = time.monotonic() + 10
        for _ in heard:
            assert time.monotonic() < end, "the stream goes on after the key was revoked"


def test_a_listener_that_is_too_slow_is_dropped_and_finds_everything_when_it_comes_back(
    served: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "QUEUE_EVENTS", 10)
    tenant = UUID(served.owner("Slow").tenant)

    async def slow_then_back(runtime: Runtime) -> tuple[list[int], list[int]]:
        fan = Stream(runtime.db)
        sent = []
        first: list[int] = []
        after = None
        async for event in fan.listen(tenant, None):
            if isinstance(event, tuple):
                after = event
                continue
            if event is None:
                continue
            first.append(event.seq)
            after = (event.epoch, int(event.xid), event.seq)
            if len(first) == 1:  # while this listener dawdles, forty things happen
                for n in range(40):
                    async with runtime.db.tx(Role.APP, tenant=tenant) as conn:
                        sent.append(await events.emit(conn, tenant, "test.more", None, n=n))
                await stream.asyncio.sleep(1.0)
        async for event in fan.listen(tenant, after):
            if event is not None and not isinstance(event, tuple):
                first.append(event.seq)
            if len(first) == 41:
                break
        await fan.close()
        return sent, first

    def soon() -> None:
        time.sleep(1.0)
        write(served.admin_url, str(tenant), [{"first": 1}])

    thread = threading.Thread(target=soon)
    thread.start()
    sent, seen = served.call(slow_then_back)
    thread.join()
    assert seen[1:] == sent


def test_events_are_read_in_the_order_of_their_numbers_not_of_their_digits(served: Serving) -> None:
    tenant = served.owner("Digits").tenant
    with psycopg.connect(served.admin_url, options="-c search_path=cupola") as conn:
        for xid in ("9", "10", "100", "99"):
            conn.execute("INSERT INTO event (tenant, xid, kind, at) VALUES (%s, %s, 'test.old', now())", (tenant, xid))

    async def read(runtime: Runtime) -> list[str]:
        async with runtime.db.tx(Role.OPS) as conn:
            rows = await store.EVENTS_TAIL.all(conn, epoch=0, xid="0", seq=0, limit=3)
        return [row.xid for row in rows]

    assert served.call(read) == ["9", "10", "99"]


def test_an_id_that_is_none_of_ours_is_refused_with_its_place(served: Serving) -> None:
    owner = served.owner("Malformed")
    for text in ("x", "1", "1.2.3.4", "-1.2", f"{1 << 64}.1", "1." + "9" * 19):
        answer = owner.client.get("/events", headers={"Last-Event-ID": text})
        assert (answer.status_code, answer.json()["place"]) == (400, "header Last-Event-ID"), text
