"""What doctor finds, on real folders, servers and ports."""

from __future__ import annotations

import http.server
import os
import socket
import threading
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from cupola.app import doctor
from cupola.app.doctor import Health
from cupola.kernel import clock, ids
from cupola.platform import settings
from cupola.platform.pg import binaries, migrate
from cupola.platform.pg.cluster import Cluster
from tests.foundry import moved_clock


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CUPOLA_DATABASE_URL", "CUPOLA_SECRET"):
        monkeypatch.delenv(name, raising=False)


def found(findings: list[doctor.Finding], name: str) -> doctor.Finding:
    return next(one for one in findings if one.name == name)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_before_the_first_start_nothing_is_broken_and_nothing_is_made(data_dir: Path) -> None:
    findings = doctor.examine(data_dir, port=free_port())
    assert doctor.healthy(findings), doctor.as_text(findings)
    assert "first start makes" in found(findings, "database").detail
    assert found(findings, "port").health is Health.OK
    assert not data_dir.exists()


def test_a_stopped_a_running_an_orphaned_and_a_crashed_database_are_told_apart(data_dir: Path) -> None:
    with Cluster.open(data_dir) as c:
        assert "runs as process" in found(doctor.examine(data_dir), "database").detail
        pid = Cluster.inspect(data_dir).pid
        os.kill(pid, 9)
        while Cluster.inspect(data_dir).running:
            pass
        crashed = found(doctor.examine(data_dir), "database")
        assert (crashed.health, "crashed" in crashed.detail) == (Health.BROKEN, True)
        assert c.ensure_running()
    stopped = found(doctor.examine(data_dir), "database")
    assert (stopped.health, stopped.remedy) == (Health.NOTE, "Start it with: cupola up")


def test_pending_migrations_and_missing_processes_are_named_with_the_command_that_mends_them(data_dir: Path) -> None:
    password = settings.load(data_dir).database_password
    with Cluster.open(data_dir) as c:
        schema = found(doctor.examine(data_dir), "schema")
        assert (schema.health, schema.remedy) == (Health.MISSING, "cupola migrate")
        migrate.migrate(c.url, password)
        findings = doctor.examine(data_dir, port=free_port())
        assert found(findings, "schema").health is Health.OK
        assert found(findings, "worker").health is Health.MISSING
        with psycopg.connect(c.url) as conn:
            conn.execute(
                "insert into cupola.process_beat (process, role, host, pid, at) values ('x', 'worker', 'here', 7, %s),"
                " ('y', 'server', 'here', 8, %s)",
                (clock.now(), clock.now() - timedelta(hours=1)),
            )
            tenant, project = ids.uuid7(), ids.uuid7()
            conn.execute("insert into cupola.organisation (id, name, created_at) values (%s, 'o', now())", (tenant,))
            conn.execute(
                "insert into cupola.tenant (id, organisation, world, created_at) values (%s, %s, 'live', now())",
                (tenant, tenant),
            )
            conn.execute(
                "insert into cupola.event_aside (tenant, consumer, project, epoch, xid, seq, tries, reason, since, "
                "next_at) values (%s, 'aggregate', %s, 0, '1', 1, 3, 'ValueError in live.py:7 (thaw)', now(), now())",
                (tenant, project),
            )
            conn.execute(
                "insert into cupola.job (tenant, kind, subject, asked_at, due_at, tries, reason, failed_at) "
                "values (%s, 'refit', %s, now(), now(), 3, 'MemoryError in refits.py:9 (fit)', now())",
                (tenant, project),
            )
        findings = doctor.examine(data_dir, port=free_port())
        assert found(findings, "worker").detail == "alive: process 7 on here"
        assert f"aggregate cannot handle project {project}" in found(findings, "set aside").detail
        assert "ValueError in live.py:7" in found(findings, "set aside").detail
        assert f"refit {project}" in found(findings, "slow work").detail
        assert found(findings, "server").health is Health.MISSING
        assert found(findings, "kept for a while").health is Health.OK
        with moved_clock(timedelta(days=91).total_seconds()):
            assert "1 jobs" in found(doctor.examine(data_dir, port=free_port()), "kept for a while").detail
        assert doctor.healthy(findings), doctor.as_text(findings)
        with psycopg.connect(c.url) as conn:
            conn.execute("update cupola.alembic_version set version_num = '9999'")
        newer = found(doctor.examine(data_dir), "schema")
        assert (newer.health, "Install" in newer.remedy) == (Health.BROKEN, True)


def test_a_port_taken_by_another_program_is_broken_and_by_cupola_is_fine() -> None:
    class Answer(http.server.BaseHTTPRequestHandler):
        body = b"hello"

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            taken = found(doctor.examine(Path("/nowhere"), port=server.server_port), "port")
            assert (taken.health, "--port" in taken.remedy) == (Health.BROKEN, True)
            Answer.body = b'{"status": "ok", "version": "0.1.0"}'
            ours = found(doctor.examine(Path("/nowhere"), port=server.server_port), "port")
            assert (ours.health, "answers" in ours.detail) == (Health.OK, True)
        finally:
            server.shutdown()
            thread.join()


def test_a_secret_that_others_can_read_is_broken(data_dir: Path) -> None:
    settings.load(data_dir)
    assert found(doctor.examine(data_dir), "secret").health is Health.OK
    (data_dir / "secret").chmod(0o644)
    secret = found(doctor.examine(data_dir), "secret")
    assert (secret.health, secret.remedy) == (Health.BROKEN, f"chmod 600 {data_dir / 'secret'}")


def test_a_full_disk_and_a_missing_wheel_are_findings_and_not_crashes(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = doctor.shutil.disk_usage("/")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: usage._replace(free=1_000_000))
    monkeypatch.setattr(binaries, "_WHEEL", "no_such_wheel_here")
    binaries.bundled_folder.cache_clear()
    try:
        findings = doctor.examine(data_dir)
        assert found(findings, "disk").health is Health.BROKEN
        assert "pip install" in found(findings, "Postgres programs").remedy
        assert not doctor.healthy(findings)
    finally:
        binaries.bundled_folder.cache_clear()


def test_an_external_database_that_does_not_answer_is_broken(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUPOLA_DATABASE_URL", f"postgresql://nobody@127.0.0.1:{free_port()}/x")
    findings = doctor.examine(data_dir)
    assert found(findings, "database").health is Health.BROKEN
    assert not any(one.name == "Postgres programs" for one in findings)


def test_both_forms_of_the_report_say_the_same(data_dir: Path) -> None:
    findings = doctor.examine(data_dir, port=free_port())
    said = doctor.as_json(findings)
    assert said["healthy"] is True
    text = doctor.as_text(findings)
    for one in said["findings"]:
        assert one["detail"] in text
        assert one["remedy"] in text
