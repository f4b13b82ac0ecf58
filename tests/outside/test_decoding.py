"""What bursts in a decoder bursts alone: children with limits, that answer again right after."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cupola.catalog.found import Found, Refused
from cupola.catalog.importers.manifest import lines_of
from cupola.kernel.errors import Problem, invalid
from cupola.platform.cage import Cage


def _refuse() -> None:
    raise invalid("no", "Not this.", remedy="Another.", place="/x")


VERBS: Mapping[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "refuse": _refuse,
    "burst": lambda: len(bytearray(1 << 30)),
    "die": lambda: os._exit(9),
    "hang": lambda: time.sleep(3_600),
    "secret": lambda: os.environ.get("CUPOLA_SECRET_OF_A_TEST"),
    "write": lambda path: Path(path).write_text("x"),
}


@pytest.fixture
def cage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cage]:
    monkeypatch.setenv("CUPOLA_SECRET_OF_A_TEST", "x")
    made = Cage("caged_verbs", children=2, memory_bytes=256 * 1024**2, time_s=8.0, what="thing")
    # A child is isolated from this process's path, so it is told where the verbs of this test are.
    serve = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r}); from cupola.platform import cage; "
        "cage._serve('tests.outside.test_decoding', *map(int, sys.argv[2:]))"
    )
    made._argv = [made._argv[0], "-I", "-c", serve, *made._argv[-4:]]
    yield made
    made.close()


@pytest.mark.parametrize(
    ("verb", "code"), [("burst", "decode-memory"), ("die", "decode-failed"), ("hang", "decode-time")]
)
def test_a_call_that_takes_too_much_is_refused_and_the_next_one_is_answered(cage: Cage, verb: str, code: str) -> None:
    assert cage.call("add", 1, 2) == 3
    with pytest.raises(Problem) as caught:
        cage.call(verb)
    assert caught.value.code == code
    assert caught.value.remedy
    assert cage.call("add", 3, 4) == 7


def test_a_child_knows_no_secrets_writes_no_files_and_passes_problems_on(cage: Cage, tmp_path: Path) -> None:
    assert cage.call("secret") is None
    with pytest.raises(Problem):
        cage.call("write", str(tmp_path / "x"))
    with pytest.raises(Problem) as caught:
        cage.call("refuse")
    assert (caught.value.code, caught.value.place) == ("no", "/x")


def test_a_small_table_that_unfolds_to_gigabytes_is_read_row_by_row_or_refused(tmp_path: Path) -> None:
    word = "x" * 4_000_000
    table = pa.table({"ref": [str(n) for n in range(600)], "text": pa.array([word] * 600).dictionary_encode()})
    pq.write_table(table, tmp_path / "m.parquet", compression="zstd")
    assert (tmp_path / "m.parquet").stat().st_size < 100_000  # and 2.4 GB unfolded
    found = lines_of(tmp_path / "m.parquet", None)
    first = next(found)
    assert isinstance(first, Found)
    assert first.ref == "0"
    assert first.text == word
    huge = pa.table({"ref": ["a", "b"], "text": pa.array(["y" * 9_000_000, "short"]).dictionary_encode()})
    pq.write_table(huge, tmp_path / "h.parquet", compression="zstd")
    too_long, short = lines_of(tmp_path / "h.parquet", None)
    assert isinstance(too_long, Refused)
    assert too_long.reason == "line-too-long"
    assert isinstance(short, Found)
