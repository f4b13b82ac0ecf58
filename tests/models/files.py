"""Small ONNX files, good and bad, made as anybody makes them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

CLASSES = ["a", "b", "c"]
EMBEDDING_CARD = json.dumps(
    {"classes": CLASSES, "features": {"provider": "embedding", "dims": 2}, "gives": "logits", "output": "out"}
)


def model(nodes: list[Any], tensors: list[Any] | None = None, *, dims: int = 2, domain: str = "", wide: int = 3) -> Any:
    """An ONNX model of one input, "features" (n, dims), and one output, "out" (n, wide)."""
    into = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", dims])
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", wide])
    graph = helper.make_graph(nodes, "test", [into], [out], tensors or [])
    opsets = [helper.make_opsetid("", 17)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    made = helper.make_model(graph, opset_imports=opsets)
    made.ir_version = 9
    return made


def weights(values: Any, name: str = "w") -> Any:
    return numpy_helper.from_array(np.asarray(values, np.float32), name)


def embedding_model(scale: float = 1.0) -> bytes:
    """Logits of three classes from two numbers."""
    table = np.array([[1.0, 0.0, -1.0], [0.0, 1.0, -1.0]]) * scale
    made = model([helper.make_node("MatMul", ["features", "w"], ["out"])], [weights(table)])
    return bytes(made.SerializeToString())
