"""Webhooks against real receivers: signed, retried, logged, never sent to private places."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import psycopg
import pytest

from cupola.kernel import clock, limits
from cupola.platform import events, outbox, store
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime
from cupola.platform.sweeping import service as sweeping
from cupola.platform.webhooks import model, service
from tests.serving import Person, Serving


@dataclass
class Receiver:
    """A real HTTP server that answers as it is told, then with 204, and keeps what it got."""

    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    pause_s: float = 0.0
    drips: bool = False
    meanwhile: Callable[[], object] | None = None  # done once, while a sender waits for its answer
    connections: int = 0
    url: str = ""


@contextmanager
def receiver(*answers: int | tuple[int, str], host: str = "127.0.0.1", pause_s: float = 0.0) -> Iterator[Receiver]:
    told = [(a, {}) if isinstance(a, int) else (a[0], {"Location": a[1]}) for a in answers]
    kept = Receiver(told, pause_s=pause_s)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            kept.connections += 1
            super().setup()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
            time.sleep(kept.pause_s)
            if kept.meanwhile is not None:
                do, kept.meanwhile = kept.meanwhile, None
                do()
            status, headers = kept.answers.pop(0) if kept.answers else (204, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "1000000" if kept.drips else "0")
            self.end_headers()
            while kept.drips and not over.wait(0.05):
                self.wfile.write(b".")

        def log_message(self, *_: Any) -> None:
            return

    over = threading.Event()
    server = ThreadingHTTPServer((host, 0), Handler)
    server.daemon_threads = True
    kept.url = f"http://{host}:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.fixture(autouse=True)
def each_by_itself(served: Serving) -> Iterator[None]:
    """The clock stands where it stood, and no delivery of one test comes due in another."""
    before_s = clock.offset_s()
    yield
    clock.advance(timedelta(seconds=before_s - clock.offset_s()))
    with psycopg.connect(served.admin_url) as conn:
        conn.execute("DELETE FROM cupola.webhook_delivery")
        conn.execute("DELETE FROM cupola.webhook")


def happen(served: Serving, tenant: str, kind: str, n: int = 1, **data: Any) -> list[int]:
    async def work(runtime: Runtime) -> list[int]:
        async with runtime.db.tx(Role.APP, tenant=UUID(tenant)) as conn:
            return [await events.emit(conn, UUID(tenant), kind, None, None, **data) for _ in range(n)]

    return served.call(work)


def feed(served: Serving) -> None:
    """Hand everything that ever happened to the webhooks, as a consumer that lost its place would."""

    async def work(runtime: Runtime) -> None:
        async with runtime.db.tx(Role.OPS) as conn:
            rows = await store.EVENTS_TAIL.all(conn, epoch=0, xid="0", seq=0, limit=10_000)
        for tenant in sorted({row.tenant for row in rows}):
            async with runtime.db.tx(Role.APP, tenant=tenant) as conn:
                await service.enqueue(conn, tenant, [row for row in rows if row.tenant == tenant])

    served.call(work)


def deliver(served: Serving) -> int:
    return served.call(service.deliver_due)


def log(owner: Any, hook: dict[str, Any]) -> list[dict[str, Any]]:
    told = owner.client.get(f"/api/webhooks/{hook['id']}/deliveries?limit=100")
    assert told.status_code == 200, told.text
    items: list[dict[str, Any]] = told.json()["items"]
    return items


def wait_for(holds: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)


def heard(there: Receiver) -> int:
    """How many messages it got, however often each."""
    return len({headers["cupola-delivery"] for headers, _ in list(there.got)})


def make(owner: Any, url: str, *kinds: str) -> dict[str, Any]:
    made = owner.client.post("/api/webhooks", json={"url": url, "events": list(kinds)})
    assert made.status_code == 201, made.text
    hook: dict[str, Any] = made.json()
    return hook


def test_an_event_is_posted_signed_and_tried_again_until_the_receiver_takes_it(served: Serving) -> None:
    owner = served.owner("Retrying")
    with receiver(500, 503) as there:
        hook = make(owner, there.url, "task.*")
        happen(served, owner.tenant, "task.settled", tasks=3)
        happen(served, owner.tenant, "import.done")
        feed(served)
        assert deliver(served) == 1, "of the two events one was asked for"
        (entry,) = log(owner, hook)
        assert (entry["state"], entry["tries"], entry["last_status"]) == ("waiting", 1, 500)
        assert deliver(served) == 0, "not before its time"
        clock.advance(timedelta(seconds=7))
        assert deliver(served) == 1
        clock.advance(timedelta(seconds=13))
        assert deliver(served) == 1
        (entry,) = log(owner, hook)
        assert (entry["event"], entry["state"], entry["tries"]) == ("task.settled", "delivered", 3)
        assert (entry["last_status"], entry["last_error"], entry["next_at"]) == (204, None, None)
        feed(served)
        assert deliver(served) == 0, "an event that is seen again is not sent again"
        assert len(there.got) == 3
        assert len({body for _, body in there.got}) == 1, "each try has the same body"
        headers, body = there.got[-1]
        shown = json.loads(body)
        assert set(shown) == {"id", "kind", "at", "subject", "project", "data"}
        assert (shown["kind"], shown["data"]) == ("task.settled", {"tasks": 3})
        moment, mac = (part.split("=")[1] for part in headers["cupola-signature"].split(","))
        expected = hmac.new(hook["secret"].encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        assert hmac.compare_digest(mac, expected)
        assert abs(int(moment) - clock.now().timestamp()) < 5


def test_after_twenty_tries_over_a_day_a_delivery_has_failed_and_can_be_sent_again(served: Serving) -> None:
    owner = served.owner("Failing")
    with receiver(*[500] * 20) as there:
        hook = make(owner, there.url, "task.settled")
        happen(served, owner.tenant, "task.settled")
        feed(served)
        began = clock.now()
        for _ in range(limits.WEBHOOK_TRIES):
            assert deliver(served) == 1
            (entry,) = log(owner, hook)
            if entry["next_at"] is None:
                break
            with psycopg.connect(served.admin_url) as conn:
                row = conn.execute(
                    "SELECT next_at FROM cupola.webhook_delivery WHERE id = %s", (entry["id"],)
                ).fetchone()
            assert row is not None
            clock.advance(row[0] - clock.now() + timedelta(seconds=0.1))
        took = clock.now() - began
        (entry,) = log(owner, hook)
        assert (entry["state"], entry["tries"], len(there.got)) == ("failed", 20, 20)
        assert timedelta(hours=18) < took < timedelta(hours=30)
        clock.advance(timedelta(days=2))
        assert deliver(served) == 0
        again = owner.client.post(f"/api/deliveries/{entry['id']}/resend", headers={"Idempotency-Key": "r"})
        assert (again.status_code, again.json()["state"]) == (200, "waiting")
        assert deliver(served) == 1
        (entry,) = log(owner, hook)
        assert (entry["state"], len(there.got)) == ("delivered", 21)


@pytest.mark.parametrize("answer", [204, 500])
def test_what_is_asked_for_anew_while_it_is_on_its_way_is_sent_once_more(served: Serving, answer: int) -> None:
    """How the try ended that was under way says nothing of the one that was asked for since."""
    owner = served.owner(f"Asking {answer}")
    with receiver(answer) as there:
        hook = make(owner, there.url, "task.settled")
        happen(served, owner.tenant, "task.settled")
        feed(served)
        (entry,) = log(owner, hook)
        told: list[int] = []
        there.meanwhile = lambda: told.append(
            owner.client.post(f"/api/deliveries/{entry['id']}/resend").json()["tries"]
        )
        assert deliver(served) == 1
        assert told == [0]
        (entry,) = log(owner, hook)
        assert (entry["state"], entry["tries"], entry["last_status"]) == ("waiting", 0, answer)
        assert deliver(served) == 1
        (entry,) = log(owner, hook)
        assert (entry["state"], entry["tries"], len(there.got)) == ("delivered", 1, 2)


def test_pauses_double_are_capped_and_spread() -> None:
    plain = [outbox.pause(n, 0.5) for n in range(1, limits.WEBHOOK_TRIES)]
    seconds = [p.total_seconds() for p in plain if p is not None]
    assert len(seconds) == limits.WEBHOOK_TRIES - 1
    assert seconds[:4] == [5, 10, 20, 40]
    assert max(seconds) == outbox.LONGEST_PAUSE_S
    assert abs(sum(seconds) - limits.WEBHOOK_WINDOW_S) < 600
    assert outbox.pause(1, 0.0) != outbox.pause(1, 0.9)
    assert outbox.pause(limits.WEBHOOK_TRIES, 0.5) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]:8000/",
        "http://2130706434/",
        "http://127.0.0.2/",
        "ftp://example.org/",
        "http://user:pass@127.0.0.1/",
    ],
)
def test_a_private_or_crooked_address_is_refused_when_a_webhook_is_made(served: Serving, url: str) -> None:
    owner = served.owner(f"Private {url}")
    made = owner.client.post("/api/webhooks", json={"url": url, "events": ["*"]})
    assert made.status_code == 400, made.text
    assert made.json()["code"] in ("url-private", "url-invalid")
    assert made.json()["place"] == "/url"
    assert owner.client.get("/api/webhooks").json()["items"] == []


def test_a_redirect_to_a_private_address_is_not_followed(served: Serving) -> None:
    owner = served.owner("Redirected")
    with receiver(host="127.0.0.2") as inside, receiver((307, inside.url), (302, inside.url)) as outside:
        hook = make(owner, outside.url, "task.settled")
        happen(served, owner.tenant, "task.settled")
        feed(served)
        assert deliver(served) == 1
        (entry,) = log(owner, hook)
        assert (entry["state"], entry["last_status"]) == ("waiting", None)
        assert "private" in entry["last_error"]
        clock.advance(timedelta(seconds=7))
        assert deliver(served) == 1
        (entry,) = log(owner, hook)
        assert (entry["state"], entry["last_status"]) == ("waiting", 302), "a POST is not made a GET"
        assert inside.got == []
        assert len(outside.got) == 2


def test_a_name_that_turned_private_after_the_webhook_was_made_is_refused_at_the_delivery(served: Serving) -> None:
    owner = served.owner("Rebound")
    with receiver(host="127.0.0.2") as inside, receiver() as outside:
        hook = make(owner, outside.url, "task.settled")
        with psycopg.connect(served.admin_url) as conn:  # as a name that is looked up anew may do
            conn.execute("UPDATE cupola.webhook SET url = %s WHERE id = %s", (inside.url, hook["id"]))
        happen(served, owner.tenant, "task.settled")
        feed(served)
        assert deliver(served) == 1
        assert log(owner, hook)[0]["last_status"] is None
        assert inside.got == []


def test_two_workers_send_each_delivery_once(served: Serving) -> None:
    owner = served.owner("Two workers")
    with receiver(pause_s=0.02) as there:
        hook = make(owner, there.url, "task.settled")
        happen(served, owner.tenant, "task.settled", n=40)
        feed(served)

        async def both(runtime: Runtime) -> list[int]:
            return list(await asyncio.gather(*(service.deliver_due(runtime) for _ in range(3))))

        assert sum(served.call(both)) == 40
        assert len(there.got) == 40
        assert len({headers["cupola-delivery"] for headers, _ in there.got}) == 40
        assert {entry["state"] for entry in log(owner, hook)} == {"delivered"}


def test_a_connection_carries_one_message_after_the_other(served: Serving) -> None:
    owner = served.owner("Keeping")
    with receiver() as there:
        hook = make(owner, there.url, "task.settled")
        happen(served, owner.tenant, "task.settled", n=40)
        feed(served)
        assert deliver(served) == 40
        assert len(there.got) == 40
        assert there.connections <= outbox.AT_ONCE
        assert {entry["state"] for entry in log(owner, hook)} == {"delivered"}


def test_an_answer_that_never_ends_is_an_answer(served: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "READ_ANSWER_S", 0.2)
    owner = served.owner("Dripping")
    with receiver(200, 500) as there:
        there.drips = True
        hook = make(owner, there.url, "task.settled")
        for state, status in (("delivered", 200), ("waiting", 500)):
            happen(served, owner.tenant, "task.settled")
            feed(served)
            assert deliver(served) == 1
            entry = log(owner, hook)[0]
            assert (entry["state"], entry["last_status"]) == (state, status)
    monkeypatch.setattr(limits, "WEBHOOK_TIMEOUT_S", 5.0)
    monkeypatch.setattr(outbox, "READ_ANSWER_S", 30.0)
    with receiver(200) as there:  # the time of the whole try ends while the answer is read
        there.drips = True
        hook = make(owner, there.url, "task.settled")
        happen(served, owner.tenant, "task.settled")
        feed(served)
        deliver(served)
        assert log(owner, hook)[0]["state"] == "delivered"


def test_a_receiver_that_hangs_is_given_up_and_holds_up_no_other_tenant(
    served: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WEBHOOK_TIMEOUT_S", 0.5)
    slow, quick = served.owner("Hanging"), served.owner("Quick")
    with receiver(pause_s=2.0) as hanging, receiver() as prompt:
        hanging_hook, prompt_hook = make(slow, hanging.url, "task.settled"), make(quick, prompt.url, "task.settled")
        happen(served, slow.tenant, "task.settled", n=60)
        happen(served, quick.tenant, "task.settled")
        feed(served)
        deliver(served)
        assert log(quick, prompt_hook)[0]["state"] == "delivered"
        tried = [entry for entry in log(slow, hanging_hook) if entry["tries"]]
        assert 0 < len(tried) <= outbox.AT_ONCE, "the rest is not sent to one that does not answer"
        assert {(entry["state"], entry["tries"]) for entry in tried} == {("waiting", 1)}
        assert all("did not answer" in entry["last_error"] for entry in tried)


def test_the_secret_is_shown_once_and_not_in_the_database_and_a_retry_shows_the_same(served: Serving) -> None:
    owner = served.owner("Secret hook")
    body = {"url": "http://127.0.0.1:9/", "events": ["*"]}
    first = owner.client.post("/api/webhooks", json=body, headers={"Idempotency-Key": "hook"})
    again = owner.client.post("/api/webhooks", json=body, headers={"Idempotency-Key": "hook"})
    assert first.json() == again.json()
    secret = first.json()["secret"]
    assert secret.startswith("whsec_")
    (listed,) = owner.client.get("/api/webhooks").json()["items"]
    assert "secret" not in listed
    with psycopg.connect(served.admin_url) as conn:
        rows = conn.execute("SELECT w::text FROM cupola.webhook w").fetchall()
        rows += conn.execute("SELECT i::text FROM cupola.idempotency i").fetchall()
    assert secret.removeprefix("whsec_") not in str(rows)
    assert owner.client.delete(f"/api/webhooks/{first.json()['id']}").status_code == 204
    gone = owner.client.post("/api/webhooks", json=body, headers={"Idempotency-Key": "hook"})
    assert (gone.status_code, gone.json()["code"]) == (409, "webhook-deleted")


def test_a_webhook_that_is_off_gets_nothing_and_a_deleted_one_takes_its_log_along(served: Serving) -> None:
    owner = served.owner("Off")
    with receiver() as there:
        hook = make(owner, there.url, "task.settled")
        happen(served, owner.tenant, "task.settled")
        feed(served)
        off = owner.client.patch(f"/api/webhooks/{hook['id']}", json={"state": "off"})
        assert off.json()["state"] == "off"
        happen(served, owner.tenant, "task.settled")
        feed(served)
        deliver(served)
        (entry,) = log(owner, hook)
        assert (entry["state"], entry["last_error"]) == ("failed", "The webhook is switched off.")
        assert there.got == []
        assert owner.client.delete(f"/api/webhooks/{hook['id']}").status_code == 204
        assert owner.client.get(f"/api/webhooks/{hook['id']}/deliveries").status_code == 404
        feed(served)
        assert deliver(served) == 0


def test_a_webhook_hears_its_own_tenant_and_only_from_its_making_on(served: Serving) -> None:
    one, two = served.owner("Hook one"), served.owner("Hook two")
    with receiver() as there:
        happen(served, one.tenant, "task.settled", before=1)
        make(one, there.url, "task.settled")
        happen(served, two.tenant, "task.settled", other=1)
        happen(served, one.tenant, "task.settled", after=1)
        feed(served)
        deliver(served)
        assert [json.loads(body)["data"] for _, body in there.got] == [{"after": 1}]


def test_another_tenants_webhook_and_delivery_are_not_found(served: Serving) -> None:
    owner, stranger = served.owner("Has hooks"), served.owner("Wants hooks")
    with receiver() as there:
        hook = make(owner, there.url, "task.settled")
        happen(served, owner.tenant, "task.settled")
        feed(served)
        (entry,) = log(owner, hook)
        client = stranger.client
        for answer in (
            client.get(f"/api/webhooks/{hook['id']}"),
            client.get(f"/api/webhooks/{hook['id']}/deliveries"),
            client.patch(f"/api/webhooks/{hook['id']}", json={"state": "off"}),
            client.delete(f"/api/webhooks/{hook['id']}"),
            client.post(f"/api/deliveries/{entry['id']}/resend"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
        deliver(served)
        assert len(there.got) == 1


def test_kinds_that_are_none_are_refused_with_their_place_and_webhooks_are_limited(served: Serving) -> None:
    owner = served.owner("Kinds")
    body = {"url": "http://127.0.0.1:9/", "events": ["task.settled", "Task settled"]}
    refused = owner.client.post("/api/webhooks", json=body)
    assert (refused.status_code, refused.json()["place"]) == (400, "/events/1")
    for _ in range(model.MAX_WEBHOOKS):
        make(owner, "http://127.0.0.1:9/", "*")
    many = owner.client.post("/api/webhooks", json={"url": "http://127.0.0.1:9/", "events": ["*"]})
    assert (many.status_code, many.json()["code"]) == (409, "too-many-webhooks")


def test_the_log_forgets_what_is_done_after_thirty_days_and_never_what_still_waits(served: Serving) -> None:
    owner = served.owner("Forgetful")
    with receiver() as there, receiver(500) as broken:
        hook, late = make(owner, there.url, "task.settled"), make(owner, broken.url, "task.settled")
        happen(served, owner.tenant, "task.settled")
        feed(served)
        deliver(served)
        assert [entry["state"] for entry in log(owner, hook)] == ["delivered"]
        owner = Person(served.key(owner), {})  # a key, for a session ends after thirty days too
        clock.advance(timedelta(days=29))
        try:
            served.call(lambda run: sweeping.sweep(run.db))
            assert len(log(owner, hook)) == 1
            clock.advance(timedelta(days=2))
            assert served.call(lambda run: sweeping.sweep(run.db))["webhooks"] >= 1
            assert log(owner, hook) == []
            assert [entry["state"] for entry in log(owner, late)] == ["waiting"]
        finally:
            clock.advance(timedelta(days=-31))


def test_one_hanging_receiver_holds_up_no_other_of_its_own_tenant(
    served: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred messages wait for each; the healthy one has all of its while the hanging one had one volley."""
    monkeypatch.setattr(limits, "WEBHOOK_TIMEOUT_S", 5.0)
    monkeypatch.setattr(outbox, "FIRST_REST_S", 3_600.0)
    monkeypatch.setattr(outbox, "LONGEST_REST_S", 3_600.0)
    owner = served.owner("Half hanging")
    with receiver(pause_s=30.0) as hanging, receiver() as prompt:
        sick, well = make(owner, hanging.url, "task.settled"), make(owner, prompt.url, "task.settled")
        happen(served, owner.tenant, "task.settled", n=100)
        feed(served)

        async def deliver_on(run: Runtime) -> None:
            stop = asyncio.Event()
            courier = asyncio.create_task(outbox.Courier(run, service.OUTBOX).run(stop))
            await asyncio.to_thread(wait_for, lambda: heard(prompt) == 100, 100)
            stop.set()
            await courier

        served.call(deliver_on)
        assert heard(prompt) == 100
        assert len(hanging.got) <= outbox.AT_ONCE
        with psycopg.connect(served.admin_url) as conn:
            states = dict(
                conn.execute(
                    "SELECT webhook::text, array_agg(DISTINCT state) FROM cupola.webhook_delivery GROUP BY webhook"
                ).fetchall()
            )
            tries = conn.execute(
                "SELECT sum(tries) FROM cupola.webhook_delivery WHERE webhook = %s", (sick["id"],)
            ).fetchone()
        assert states == {sick["id"]: ["waiting"], well["id"]: ["delivered"]}
        assert tries is not None
        assert len(hanging.got) <= tries[0] <= outbox.AT_ONCE, "what was taken and not sent counts as no try"


def test_why_nothing_came_through_is_told_by_a_code_beside_the_sentence(served: Serving) -> None:
    owner = served.owner("Coded")
    with receiver(410) as refuses:
        gone, refused = make(owner, "http://127.0.0.1:9/hook", "task.settled"), make(owner, refuses.url, "task.settled")
        happen(served, owner.tenant, "task.settled")
        feed(served)
        deliver(served)
        [away], [said] = log(owner, gone), log(owner, refused)
    assert (away["last_status"], away["last_error_code"]) == (None, "url-unreachable")
    assert "127.0.0.1" in away["last_error"]
    assert (said["last_status"], said["last_error_code"]) == (410, "receiver-refused")
