"""Setting a scene through the public API: a server of its own process, tenants, people, crowds. For demo and replay."""

from __future__ import annotations

import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from cupola.app import moving
from cupola.client import ApiError, Client
from cupola.kernel import clock, ids
from cupola.kernel.errors import Kind, Problem
from cupola.platform.pg.cluster import Cluster

START_S = 90.0


@dataclass(frozen=True, slots=True)
class Login:
    email: str
    password: str


@dataclass(frozen=True, slots=True)
class Worker:
    """One contributor that a program plays: person, how each tenant knows them, and their token."""

    person: str
    token: str


@contextmanager
def server(data: Path, port: int, log: Path) -> Iterator[tuple[str, str]]:
    """`cupola up` as a process of its own; yields its URL and the first administrator's token.

    Raises Problem with the end of its log when it does not come up.
    """
    data.mkdir(parents=True, exist_ok=True)
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "cupola", "up", "--data", str(data), "--port", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=sink,
            start_new_session=True,
        )
    try:
        yield url, _token(process, log)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _token(process: subprocess.Popen[bytes], log: Path) -> str:
    began = clock.monotonic_s()
    while clock.monotonic_s() - began < START_S:
        said = log.read_text("utf-8", "replace")
        found = re.search(r"first-admin\?token=(\S+)", said)
        if found:
            return found.group(1)
        if process.poll() is not None:
            break
        clock.sleep(0.05)
    raise Problem(
        Kind.UNAVAILABLE,
        "server-not-up",
        f"The server did not come up: {log.read_text('utf-8', 'replace').strip()[-800:]}",
        remedy="Run `cupola doctor`.",
    )


@contextmanager
def scratch(prefix: str) -> Iterator[Path]:
    """A folder for one run, gone with its database when the run ends, however it ends.

    The database's own account must be able to pass through it, so it is not closed to others; what is in it is.
    """
    leave_in_order()
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        if (folder / "data").exists():
            Cluster.destroy(folder / "data")
        shutil.rmtree(folder, ignore_errors=True)


def leave_in_order() -> None:
    """Let SIGTERM unwind, as Ctrl+C does, so that the server under us ends too."""
    signal.signal(signal.SIGTERM, _leave)


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(143)


class Scene:
    """An instance with its operator signed in."""

    def __init__(self, url: str, first_admin_token: str) -> None:
        self.url = url
        self.operator_login = Login("operator@cupola.example", _password())
        self.operator = Client(url)
        self.operator.post(
            "/api/first-admin",
            {
                "token": first_admin_token,
                "name": "Operator",
                "email": self.operator_login.email,
                "password": self.operator_login.password,
            },
        )
        self.operator.sign_in(self.operator_login.email, self.operator_login.password)

    def organisation(self, name: str) -> str:
        """Make an organisation; returns its live tenant."""
        return str(self.operator.post("/api/tenants", {"name": name})["live"]["id"])

    def key(self, tenant: str, name: str) -> Client:
        """A client that acts for a tenant by an API key."""
        self.operator.act_for(tenant)
        return Client(self.url, self.operator.post("/api/keys", {"name": name})["key"])

    def fund(self, tenant: str, amount_minor: int, currency: str = "EUR") -> None:
        """Record money that came in for a tenant, as its owner."""
        self.operator.act_for(tenant)
        self.operator.post("/api/money/fund", {"amount_minor": amount_minor, "currency": currency})

    def member(self, tenant: str, role: str, name: str) -> Login:
        """Invite a person into a tenant and let them accept."""
        self.operator.act_for(tenant)
        link = self.operator.post("/api/invitations", {"role": role})["link"]
        login = Login(f"{name.lower().replace(' ', '.')}@cupola.example", _password())
        self._accept(link, name, login)
        return login

    def contributor(self, name: str) -> Login:
        """A person who signs in and works."""
        link = self.operator.post("/api/invitations", {"role": "contributor"})["link"]
        login = Login(f"{name.lower().replace(' ', '.')}@cupola.example", _password())
        self._accept(link, name, login)
        return login

    def _accept(self, link: str, name: str, login: Login) -> None:
        token = link.split("token=", 1)[1]
        Client(self.url).post(
            "/api/invitations/accept",
            {"token": token, "name": name, "email": login.email, "password": login.password},
        )

    def crowd(self, names: Sequence[str], tenants: Sequence[str] = ()) -> list[Worker]:
        """Contributors with tokens, for programs."""
        made: list[Worker] = []
        for start in range(0, len(names), 5_000):
            part = names[start : start + 5_000]
            answer = self.operator.post(
                "/api/contributors",
                {"people": [{"name": name} for name in part], "tokens": True, "tenants": list(tenants)},
            )
            made += [Worker(row["id"], row["token"]) for row in answer["items"]]
        return made


def _password() -> str:
    return ids.token(12)


def in_threads(count: int, work: Callable[[int], None]) -> None:
    """Run work(0) … work(count - 1) in threads; the first failure is raised."""
    failed: queue.Queue[BaseException] = queue.Queue()

    def one(n: int) -> None:
        try:
            work(n)
        except BaseException as error:
            failed.put(error)

    threads = [threading.Thread(target=one, args=(n,), daemon=True) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if not failed.empty():
        raise failed.get()


def work_page(
    client: Client, project: str, judge: Callable[[dict[str, Any]], tuple[dict[str, Any], float] | None]
) -> int:
    """Claim one page, judge each task, submit; returns judgements made, 0 when there is nothing.

    judge: task -> (label, seconds), or None to leave it; what is left is given back.
    """
    try:
        page = client.post(f"/api/work/projects/{project}/claim")
    except ApiError as refusal:
        if refusal.code in ("project-not-live", "budget-exhausted"):
            return 0
        raise
    if page is None:
        return 0
    judgements = []
    for task in page["tasks"]:
        said = judge(task)
        if said is not None:
            judgements.append({"task": task["task"], "label": said[0], "seconds": said[1]})
    path = f"/api/work/assignments/{page['id']}"
    if judgements:
        client.post(f"{path}/submit", {"fence": page["fence"], "judgements": judgements})
    if len(judgements) < len(page["tasks"]):
        client.post(f"{path}/return", {"fence": page["fence"], "reason": "unclear"})
    return len(judgements)


def release(client: Client, project: str, name: str, licence: str, plan: dict[str, Any]) -> dict[str, Any]:
    """Declare a release, so that its plan and its seed's commitment are known, then freeze it."""
    declared = client.post(f"/api/projects/{project}/releases", {"name": name, "licence": licence, "plan": plan})
    return moving.freeze_release(client, declared["id"], None)


def audit(
    client: Client, release: str, truth: Callable[[str], dict[str, Any] | None], tick: Callable[[], None]
) -> None:
    """Judge every drawn item blind; `truth` answers for a reference as the expert would."""
    while True:
        batch = client.get(f"/api/audits/{release}/items", limit=100)["items"]
        if not batch:
            return
        for one in batch:
            label = truth(one["item"]["ref"])
            verdict = {"undecidable": True} if label is None else {"label": label}
            client.post(f"/api/audits/{release}/items/{one['audit_item']}", {**verdict, "seconds": 4.0})
            tick()


def adjudicate(
    client: Client, project: str, truth: Callable[[str], dict[str, Any] | None], tick: Callable[[], None]
) -> int:
    """Settle every doubtful task of a project; returns how many."""
    done = 0
    for row in list(client.every("/api/adjudication", project=project)):
        label = truth(row["ref"])
        verdict = {"undecidable": True} if label is None else {"label": label}
        client.post(f"/api/adjudication/{row['task']}", {**verdict, "note": "decided by the expert"})
        done += 1
        tick()
    return done
