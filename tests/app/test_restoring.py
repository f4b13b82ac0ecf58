"""`cupola restore` onto a Postgres that is somebody else's: what it leaves is what the next start needs."""

from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path

import psycopg
import pytest

from cupola.app.commands import keeping
from cupola.kernel import ids
from cupola.platform import settings as config
from cupola.platform.pg.cluster import Cluster
from cupola.platform.pg.migrate import LOGIN


def opens(admin_url: str, password: str) -> bool:
    """Whether the server's login has this password, by what Postgres keeps of it (RFC 5803)."""
    with psycopg.connect(admin_url) as conn:
        row = conn.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", (LOGIN,)).fetchone()
    assert row is not None
    _, rounds, keys = str(row[0]).split("$")
    count, salt = rounds.split(":")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(count))
    key = hmac.new(salted, b"Client Key", "sha256").digest()
    return base64.b64encode(hashlib.sha256(key).digest()).decode() == keys.split(":")[0]


def test_after_a_restore_the_login_has_the_password_of_the_restored_secret(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CUPOLA_SECRET", "CUPOLA_BLOBS_URL", "CUPOLA_DATA"):
        monkeypatch.delenv(name, raising=False)
    urls = {name: cluster.create_database(f"{name}_{ids.uuid7().hex}") for name in ("old", "new")}
    monkeypatch.setenv("CUPOLA_DATABASE_URL", urls["old"])
    keeping.migrate(data=tmp_path / "old")
    theirs = config.load(tmp_path / "old").database_password
    assert opens(urls["old"], theirs)
    keeping.backup(tmp_path / "kept.tar", data=tmp_path / "old")

    monkeypatch.setenv("CUPOLA_DATABASE_URL", urls["new"])
    keeping.migrate(data=tmp_path / "new")
    before = config.load(tmp_path / "new").database_password
    assert before != theirs
    assert opens(urls["new"], before)
    keeping.restore(tmp_path / "kept.tar", data=tmp_path / "new", force=True)
    assert config.load(tmp_path / "new").database_password == theirs
    assert opens(urls["new"], theirs), "what serves next comes in"
