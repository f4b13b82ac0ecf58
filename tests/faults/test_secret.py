"""The instance's secret: torn, lost, somebody else's. None of it may start a server or make strangers of people."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from cupola.app import launch
from cupola.kernel.errors import Problem
from cupola.platform import secret, settings
from cupola.platform.blobs import Blobs
from cupola.platform.pg import seal
from cupola.platform.pg.cluster import Cluster


@pytest.fixture
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("CUPOLA_"):
            monkeypatch.delenv(name)


@pytest.mark.usefixtures("no_environment")
class TestFile:
    def test_made_once_whole_private_and_the_same_afterwards(self, tmp_path: Path) -> None:
        first = secret.read(tmp_path)
        assert secret.read(tmp_path) == first
        assert stat.S_IMODE((tmp_path / secret.FILE).stat().st_mode) == 0o600
        assert [path.name for path in tmp_path.iterdir()] == [secret.FILE]

    @pytest.mark.parametrize("torn", [b"", b"\n", b"half of a secret"])
    def test_torn_is_refused_with_a_remedy(self, tmp_path: Path, torn: bytes) -> None:
        (tmp_path / secret.FILE).write_bytes(torn)
        with pytest.raises(Problem) as refused:
            secret.read(tmp_path)
        assert refused.value.code == "secret-torn"
        assert "backup" in refused.value.remedy
        assert (tmp_path / secret.FILE).read_bytes() == torn

    @pytest.mark.parametrize("trace", ["postgres", "blobs"])
    def test_lost_is_never_silently_replaced(self, tmp_path: Path, trace: str) -> None:
        (tmp_path / trace).mkdir()
        with pytest.raises(Problem) as refused:
            secret.read(tmp_path)
        assert refused.value.code == "secret-lost"
        assert not (tmp_path / secret.FILE).exists()

    @pytest.mark.parametrize("command", [("up", "--port", "0"), ("worker",), ("ledger", "check")])
    def test_no_command_starts_on_a_torn_one(self, tmp_path: Path, command: tuple[str, ...]) -> None:
        (tmp_path / secret.FILE).write_bytes(b"")
        done = subprocess.run(
            [sys.executable, "-m", "cupola", *command, "--data", str(tmp_path)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 2, done.stderr
        assert "secret-torn" in done.stderr
        assert not (tmp_path / "postgres").exists()


@pytest.fixture
def database(cluster: Cluster, foundry_template: str) -> Iterator[str]:
    name = "sealed"
    yield cluster.create_database(name, template=foundry_template)
    cluster.drop_database(name)


class TestSeal:
    def test_another_secret_is_refused_and_the_right_one_goes_on(self, database: str, tmp_path: Path) -> None:
        def place(key: bytes) -> settings.Settings:
            return settings.Settings(tmp_path, database, None, key)

        right, wrong = place(b"r" * 32), place(b"w" * 32)
        seal.check(database, right.seal)  # nothing is sealed yet
        seal.keep(database, right.seal)
        with launch.database(right):
            pass
        with pytest.raises(Problem) as refused, launch.database(wrong):
            pass
        assert refused.value.code == "secret-other"
        assert refused.value.remedy
        seal.keep(database, wrong.seal)  # a seal is never replaced
        seal.check(database, right.seal)

    def test_the_first_start_seals(self, cluster: Cluster, tmp_path: Path) -> None:
        url = cluster.create_database("unsealed")
        try:
            with launch.database(settings.Settings(tmp_path, url, None, b"a" * 32)):
                pass
            with psycopg.connect(url) as conn:
                row = conn.execute("SELECT seal FROM cupola.instance").fetchone()
            assert row is not None
            assert len(row[0]) == 32
        finally:
            cluster.drop_database("unsealed")


def test_no_other_account_can_enter_the_folder_of_blobs(tmp_path: Path) -> None:
    root = tmp_path / "blobs"
    root.mkdir(mode=0o755)
    Blobs.open(root, secret=b"s" * 32)
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
