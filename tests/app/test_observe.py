"""What the operator sees of a running server, and who else may not."""

from __future__ import annotations

import http.server
import io
import json
import logging
import os
import subprocess
import sys
import threading
from dataclasses import replace

import httpx
import pytest

from cupola.platform.telemetry import logs
from tests.foundry import Foundry


def figure(text: str, name: str, **labels: str) -> float:
    """The value of one line of the exposition."""
    for line in text.splitlines():
        if line.startswith(name) and all(f'{key}="{value}"' in line for key, value in labels.items()):
            return float(line.rsplit(" ", 1)[1])
    raise AssertionError(f"{name} {labels} is not among the metrics")


def test_metrics_tell_of_requests_pools_events_and_jobs_and_name_nobody(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, 3)
    person = foundry.person()
    foundry.submit(person, foundry.claim(person, project))
    foundry.hear()
    with foundry.http() as url:
        assert httpx.get(url + "/api/projects").status_code == 401
        text = httpx.get(url + "/metrics").text
    assert figure(text, "cupola_request_seconds_count", route="/api/projects", status="4xx") >= 1
    assert figure(text, "cupola_database_pool", role="ops", state="size") >= 1
    assert figure(text, "cupola_events_handled_total", kind="judgement.submitted", consumer="aggregate") >= 1
    assert figure(text, "process_resident_memory_bytes") > 1_000_000
    for secret in (tenant, project.id, person):
        assert str(secret) not in text


def test_metrics_are_for_this_machine_or_whoever_holds_the_token(
    foundry: Foundry, monkeypatch: pytest.MonkeyPatch
) -> None:
    with foundry.http() as url:
        forwarded = httpx.get(url + "/metrics", headers={"X-Forwarded-For": "203.0.113.9"})
        assert forwarded.status_code == 403
        assert forwarded.json()["remedy"]
    monkeypatch.setattr(foundry, "runtime", replace_token(foundry, "a token of the collector"))
    with foundry.http() as url:
        assert httpx.get(url + "/metrics").status_code == 403
        wrong = httpx.get(url + "/metrics", headers={"Authorization": "Bearer another"})
        assert wrong.status_code == 403
        right = httpx.get(url + "/metrics", headers={"Authorization": "Bearer a token of the collector"})
        assert right.status_code == 200


def replace_token(foundry: Foundry, token: str):
    return replace(foundry.runtime, settings=replace(foundry.runtime.settings, metrics_token=token))


def test_every_answer_carries_the_number_of_its_request(foundry: Foundry) -> None:
    with foundry.http() as url:
        kept = httpx.get(url + "/api/health", headers={"X-Request-Id": "from.the-proxy_7"})
        made = [httpx.get(url + "/api/health").headers["x-request-id"] for _ in range(2)]
        odd = httpx.get(url + "/api/health", headers={"X-Request-Id": "x" * 65}).headers["x-request-id"]
    assert kept.headers["x-request-id"] == "from.the-proxy_7"
    assert len({*made, odd}) == 3
    assert len(odd) < 65


def test_logs_in_json_are_one_object_a_line_with_the_request(capsys: pytest.CaptureFixture[str]) -> None:
    before = logging.root.handlers[:]
    try:
        logs.begin("json")
        stream = io.StringIO()
        handler = logging.root.handlers[0]
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(stream)
        token = logs.request_id.set("r-7")
        try:
            raise ValueError("多行\nwords")
        except ValueError:
            logging.getLogger("cupola.test").exception("it failed", extra={"status": 500})
        logs.request_id.reset(token)
        logging.getLogger("cupola.test").info("outside of a request")
    finally:
        logging.root.handlers[:] = before
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (first["request_id"], first["status"], first["level"]) == ("r-7", 500, "error")
    assert "多行" in first["traceback"]
    assert first["at"].endswith("Z")
    assert "request_id" not in second


TRACING = """
from cupola.platform.telemetry import traces
traces.begin("a service")
with traces.span("a step", count=3):
    pass
traces.end()
"""


def test_traces_go_to_the_collector_that_the_operator_named() -> None:
    pytest.importorskip("opentelemetry.sdk")
    got: list[bytes] = []

    class Collector(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        where = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_port}"}
        subprocess.run(
            [sys.executable, "-c", TRACING], env={**os.environ, **where, "OTEL_EXPORTER_OTLP_COMPRESSION": "none"},
            check=True, timeout=120,
        )  # fmt: skip
        server.shutdown()
    assert any(b"a step" in body and b"a service" in body for body in got)


def test_without_the_extra_a_wish_for_traces_is_answered_with_what_to_install() -> None:
    script = "import sys; sys.modules['opentelemetry'] = None\n" + TRACING
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "cupola[telemetry]" in done.stderr or "telemetry" in done.stderr


LOADED = """
import sys
import cupola.app.serve
print(" ".join(name for name in ("numba", "scipy", "pyarrow", "alembic", "sqlalchemy") if name in sys.modules))
"""


def test_a_server_holds_no_compiler_optimizer_or_table_reader_before_it_needs_one() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == []
