"""Backup and restore, on real databases and files: what comes back, and what is refused without a change."""

from __future__ import annotations

import io
import json
import os
import stat
import tarfile
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo

from cupola.kernel.errors import Problem
from cupola.platform import backup
from cupola.platform.pg import migrate
from cupola.platform.pg.cluster import Cluster


@pytest.fixture(scope="module")
def source_url(cluster: Cluster) -> Iterator[str]:
    url = cluster.create_database("backup_source")
    migrate.migrate(url, "secret")
    with psycopg.connect(url) as conn:
        conn.execute(
            "insert into cupola.organisation (id, name, created_at) values (%s, 'Öğrenciler 学生', now())",
            (uuid.uuid4(),),
        )
    yield url
    cluster.drop_database("backup_source")


@pytest.fixture
def empty_url(cluster: Cluster) -> Iterator[str]:
    yield cluster.create_database("backup_target")
    for name in ("backup_target", "backup_target_restoring", "backup_target_replaced"):
        cluster.drop_database(name)


@pytest.fixture
def blobs(tmp_path: Path) -> Path:
    folder = tmp_path / "blobs"
    (folder / "t1" / "ab").mkdir(parents=True)
    (folder / "t1" / "ab" / "one").write_bytes(os.urandom(70_000))
    (folder / "t1" / "empty").write_bytes(b"")
    (folder / "t1" / "a name with ünïcode").write_bytes(b"x")
    (folder / "link").symlink_to("/etc/passwd")
    return folder


@pytest.fixture
def made(source_url: str, blobs: Path, tmp_path: Path) -> Path:
    target = tmp_path / "out.tar"
    report = backup.backup(source_url, target, {"blobs": blobs, "absent": tmp_path / "absent"})
    assert report.files == 3
    return target


def names(url: str) -> list[str]:
    with psycopg.connect(url) as conn:
        return [row[0] for row in conn.execute("select name from cupola.organisation")]


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def test_what_was_backed_up_comes_back_and_tenants_stay_apart(
    made: Path, source_url: str, empty_url: str, blobs: Path, tmp_path: Path
) -> None:
    target = tmp_path / "new" / "blobs"
    target.parent.mkdir()
    report = backup.restore(empty_url, made, {"blobs": target}, "secret")
    assert report.files == 3
    assert names(empty_url) == names(source_url) == ["Öğrenciler 学生"]
    assert contents(target) == contents(blobs)
    assert not (target / "link").exists()
    with psycopg.connect(empty_url) as conn:
        unforced = conn.execute(
            "select relname from pg_class where relnamespace = 'cupola'::regnamespace and relname = 'item'"
            " and not (relrowsecurity and relforcerowsecurity)"
        ).fetchall()
        assert unforced == []
        assert conn.execute("select tableowner from pg_tables where tablename = 'item'").fetchone() == ("cupola_owner",)
    assert made.stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blobs", "new", "out.tar"]


def test_a_target_that_is_not_empty_is_refused_unless_forced_and_then_replaced_whole(
    made: Path, empty_url: str, tmp_path: Path
) -> None:
    target = tmp_path / "other-blobs"
    target.mkdir()
    (target / "old").write_bytes(b"old")
    with pytest.raises(Problem, match="not empty"):
        backup.restore(empty_url, made, {"blobs": target}, "secret")
    assert contents(target) == {"old": b"old"}
    with psycopg.connect(empty_url) as conn:
        conn.execute("create table mine ()")
    (target / "old").unlink()
    with pytest.raises(Problem, match="not empty"):
        backup.restore(empty_url, made, {"blobs": target}, "secret")
    (target / "old").write_bytes(b"old")
    backup.restore(empty_url, made, {"blobs": target}, "secret", force=True)
    assert "old" not in contents(target)
    with psycopg.connect(empty_url) as conn:
        assert conn.execute("select to_regclass('mine')").fetchone() == (None,)


def test_a_secret_that_the_first_start_made_is_replaced_and_a_read_only_backup_will_do(
    source_url: str, empty_url: str, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("old")
    place = tmp_path / "backups"
    place.mkdir()
    backup.backup(source_url, place / "out.tar", {"secret": tmp_path / "secret"})
    place.chmod(0o555)
    new = tmp_path / "new"
    new.mkdir()
    (new / "secret").write_text("new")
    backup.restore(empty_url, place / "out.tar", {"secret": new / "secret"}, "secret")
    assert (new / "secret").read_text() == "old"
    assert stat.S_IMODE((new / "secret").stat().st_mode) == 0o600
    assert [path.name for path in new.iterdir()] == ["secret"]
    assert [path.name for path in place.iterdir()] == ["out.tar"]


def test_a_database_somebody_is_connected_to_is_not_replaced(made: Path, empty_url: str, tmp_path: Path) -> None:
    with psycopg.connect(empty_url), pytest.raises(Problem, match="connected"):
        backup.restore(empty_url, made, {"blobs": tmp_path / "b"}, "secret", force=True)


def test_somebody_who_is_just_leaving_is_waited_for(made: Path, empty_url: str, tmp_path: Path) -> None:
    conn = psycopg.connect(empty_url)
    leaving = threading.Timer(0.5, conn.close)
    leaving.start()
    try:
        backup.restore(empty_url, made, {"blobs": tmp_path / "there"}, "secret")
    finally:
        leaving.join()


def _cut(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


def _flipped(data: bytes) -> bytes:
    middle = data.index(b"blobs/t1/ab/one") + 512 + 40_000
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def _rewritten(data: bytes, change: Callable[[tarfile.TarInfo, bytes], tuple[tarfile.TarInfo, bytes]]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(data)) as old, tarfile.open(fileobj=out, mode="w") as new:
        for member in old:
            info, body = change(member, old.extractfile(member).read())
            info.size = len(body)
            new.addfile(info, io.BytesIO(body))
    return out.getvalue()


def _renamed(to: str) -> Callable[[bytes], bytes]:
    def change(info: tarfile.TarInfo, body: bytes) -> tuple[tarfile.TarInfo, bytes]:
        if info.name.endswith("one"):
            info.name = to
        return info, body

    return lambda data: _rewritten(data, change)


def _header(**fields: object) -> Callable[[bytes], bytes]:
    def change(info: tarfile.TarInfo, body: bytes) -> tuple[tarfile.TarInfo, bytes]:
        if info.name == backup.HEADER:
            body = json.dumps(json.loads(body) | fields).encode()
        return info, body

    return lambda data: _rewritten(data, change)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_cut, "cannot be used"),
        (_flipped, "does not have the sum"),
        (_renamed("../../escaped"), "no plain file inside"),
        (_renamed("/escaped"), "no plain file inside"),
        (_renamed("blobs/../../escaped"), "no plain file inside"),
        (_renamed("elsewhere/x"), "no place here"),
        (_header(schema="9999"), "knows up to"),
        (_header(postgres=99), "by Postgres 99"),
        (_header(format=2), "another format"),
        (lambda data: b"not a tar at all", "cannot be used"),
        (lambda data: b"", "cannot be used"),
    ],
)
def test_a_spoilt_or_foreign_backup_is_refused_and_nothing_changes(
    made: Path, empty_url: str, tmp_path: Path, spoil: Callable[[bytes], bytes], said: str
) -> None:
    spoilt = tmp_path / "spoilt.tar"
    spoilt.write_bytes(spoil(made.read_bytes()))
    target = tmp_path / "deep" / "er" / "blobs"
    target.mkdir(parents=True)
    with pytest.raises(Problem, match=said):
        backup.restore(empty_url, spoilt, {"blobs": target}, "secret")
    assert list(tmp_path.rglob("escaped")) == []
    assert contents(tmp_path / "deep") == {}
    with psycopg.connect(empty_url) as conn:
        assert conn.execute("select to_regclass('cupola.organisation')").fetchone() == (None,)


def test_a_swap_that_fails_half_way_puts_everything_back(
    made: Path, empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "other-blobs"
    target.mkdir()
    (target / "old").write_bytes(b"old")
    with psycopg.connect(empty_url) as conn:
        conn.execute("create table mine ()")
    real = os.replace

    def full_disk(source: object, to: object) -> None:
        if str(source).endswith(".restoring"):
            raise OSError(28, "No space left on device")
        real(source, to)

    monkeypatch.setattr(backup.os, "replace", full_disk)
    with pytest.raises(Problem, match="No space left"):
        backup.restore(empty_url, made, {"blobs": target}, "secret", force=True)
    assert contents(target) == {"old": b"old"}
    with psycopg.connect(empty_url) as conn:
        assert conn.execute("select to_regclass('mine')").fetchone() == ("mine",)


def test_a_backup_that_cannot_be_written_leaves_no_half_of_one(source_url: str, tmp_path: Path) -> None:
    with pytest.raises(Problem, match="could not be written"):
        backup.backup(source_url, tmp_path / "absent" / "out.tar", {})
    assert list(tmp_path.iterdir()) == []


def test_a_role_under_row_level_security_cannot_make_a_backup_that_lacks_the_tenants(
    source_url: str, tmp_path: Path
) -> None:
    lesser = conninfo.make_conninfo(source_url, user="cupola_server", password="secret")
    with pytest.raises((Problem, psycopg.Error)):
        backup.backup(lesser, tmp_path / "out.tar", {})
    assert list(tmp_path.iterdir()) == []


def test_a_database_without_cupola_is_not_backed_up(empty_url: str, tmp_path: Path) -> None:
    with pytest.raises(Problem, match="holds no Cupola"):
        backup.backup(empty_url, tmp_path / "out.tar", {})
