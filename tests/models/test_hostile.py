"""Models that mean harm: each is refused or ended with a word for it, and the next one runs as if nothing had been."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from cupola.kernel.errors import Problem
from cupola.models import caged
from cupola.models.card import read_card
from cupola.models.features import Matrix
from cupola.platform.cage import Cage
from tests.models.files import EMBEDDING_CARD, embedding_model, model, weights

CARD = read_card(EMBEDDING_CARD)
ROWS = Matrix((4, 2), np.ones((4, 2), np.float32))
SMALL: dict[str, Any] = {"children": 1, "what": "model", "sealed": True}


def refused(file: bytes, cage: Cage | None = None, rows: Matrix = ROWS, card: Any = CARD) -> Problem:
    """What is said of a model, when it is opened or when it is asked."""

    def run() -> None:
        running = caged.Running(file, card, cage)
        try:
            running.predict(rows)
        finally:
            running.close()

    with pytest.raises(Problem) as told:
        run()
    return told.value


def dumped(made: Any) -> bytes:
    return bytes(made.SerializeToString())


class Runs:
    """Leaves a file behind when it is read by pickle."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return eval, (f"open({str(self.mark)!r}, 'w').close()",)


def test_what_is_no_onnx_file_is_refused_and_a_pickle_is_never_opened(tmp_path: Any) -> None:
    mark = tmp_path / "ran"
    for file in (pickle.dumps(Runs(mark)), b"PK\x03\x04 torch.save", b"\x80\x04.", b"", b"\x08\x09", b"{}"):
        assert refused(file).code in ("not-onnx", "onnx-tensor")
    assert not mark.exists()
    pickle.loads(pickle.dumps(Runs(mark)))  # it would have been there
    assert mark.exists()


def test_weights_elsewhere_and_operators_of_others_are_refused_by_name() -> None:
    away = weights(np.zeros((2, 3)))
    away.ClearField("raw_data")
    away.data_location = TensorProto.EXTERNAL
    place = away.external_data.add()
    place.key, place.value = "location", "etc/passwd"
    assert (
        refused(dumped(model([helper.make_node("MatMul", ["features", "w"], ["out"])], [away]))).code == "onnx-external"
    )
    # hidden in the branch of an If
    inner = helper.make_graph([helper.make_node("Identity", ["w"], ["y"])], "in", [],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 3])], [away])  # fmt: skip
    hidden = [helper.make_node("If", ["c"], ["out"], then_branch=inner, else_branch=inner)]
    assert refused(dumped(model(hidden))).code == "onnx-external"
    strange = helper.make_node("Shell", ["features"], ["out"], domain="org.example")
    assert refused(dumped(model([strange], domain="org.example"))).code == "onnx-operators"


def test_a_model_that_never_ends_or_takes_all_memory_ends_alone() -> None:
    loops = model(
        [
            helper.make_node("Loop", ["many", "yes", "features"], ["kept"], body=helper.make_graph(
                [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Sin", ["x"], ["y"])],
                "body",
                [helper.make_tensor_value_info("n", TensorProto.INT64, []),
                 helper.make_tensor_value_info("go", TensorProto.BOOL, []),
                 helper.make_tensor_value_info("x", TensorProto.FLOAT, None)],
                [helper.make_tensor_value_info("on", TensorProto.BOOL, []),
                 helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])),
            helper.make_node("MatMul", ["kept", "w"], ["out"]),
        ],
        [weights(np.zeros((2, 3))), helper.make_tensor("many", TensorProto.INT64, [], [2**62]),
         helper.make_tensor("yes", TensorProto.BOOL, [], [True])],
    )  # fmt: skip
    hasty = Cage("cupola.models.running", memory_bytes=1024**3, time_s=3.0, **SMALL)
    assert refused(dumped(loops), hasty).code == "model-time"
    bomb = model(
        [helper.make_node("ConstantOfShape", ["wide"], ["much"]),
         helper.make_node("ReduceSum", ["much"], ["s"], keepdims=0),
         helper.make_node("MatMul", ["features", "w"], ["o"]), helper.make_node("Add", ["o", "s"], ["out"])],
        [weights(np.zeros((2, 3))), helper.make_tensor("wide", TensorProto.INT64, [2], [200_000, 200_000])],
    )  # fmt: skip
    assert refused(dumped(bomb), hasty).code in ("model-failed", "model-memory")
    well = caged.Running(embedding_model(), CARD)
    assert well.predict(ROWS).shape == (4, 3)
    well.close()


@pytest.mark.parametrize(
    ("nodes", "what"),
    [
        ([helper.make_node("MatMul", ["features", "nan"], ["out"])], "not finite"),
        ([helper.make_node("MatMul", ["features", "five"], ["out"])], "shape"),
    ],
)
def test_answers_that_are_none_are_told_as_what_they_are(nodes: list[Any], what: str) -> None:
    table = [weights(np.full((2, 3), np.nan), "nan"), weights(np.zeros((2, 5)), "five")]
    used = [one for one in table if one.name in nodes[0].input]
    told = refused(dumped(model(nodes, used, wide=5 if "five" in nodes[0].input else 3)))
    assert told.code == "model-answers"
    assert what in told.detail
    logits = read_card(json.dumps({**json.loads(EMBEDDING_CARD), "gives": "probabilities"}))
    assert refused(embedding_model(5.0), card=logits).code == "model-answers"


@pytest.mark.parametrize(
    "reach",
    [
        "open('/etc/passwd')",
        "socket.socket()",
        "os.pipe()",
        "open('left-behind', 'w')",
    ],
)
def test_a_sealed_child_reaches_no_file_and_nobody(reach: str, tmp_path: Path) -> None:
    seals = "import os, socket; from cupola.platform.cage import _limit; _limit(2**28, {sealed}); "
    outcome = {}
    for sealed in (True, False):
        done = subprocess.run(
            [sys.executable, "-c", seals.format(sealed=sealed) + reach],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        outcome[sealed] = "Too many open files" in done.stderr
    assert outcome == {True: True, False: False}
