"""ONNX files of strangers, as a caged child runs them: looked into before they are run, and run where nothing can be
opened any more.

An ONNX file is data: it names operators, and the library has their code. What it could do all the same is name files
that hold its weights, ask for operators of other libraries, take memory and time. The first two are refused here by
name; the child is sealed (platform.cage), so that they would reach nothing; limits end the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

from cupola.kernel.errors import invalid
from cupola.models.features import dense

OURS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})  # the last: what quantised models are made of
MAX_NODES = 50_000
MAX_DEPTH = 8
BATCH_BYTES = 32 * 1024 * 1024  # of features at once, in full

ort.set_default_logger_severity(4)
_open: dict[str, Any] = {}


def _warm() -> None:
    """Once, while files may still be opened: the library looks at the machine when its first session begins."""
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "warm", [value],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])])  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    _session(model.SerializeToString()).run(None, {"x": np.zeros(1, np.float32)})


def _session(file: bytes) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.enable_cpu_mem_arena = False
    return ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def open_file(file: bytes, wanted_in: str, wanted_out: str) -> dict[str, Any]:
    """Make a file ready; answers with its tensors. Raises Problem (INVALID) for what is no such file, or no such model.

    wanted_in, wanted_out: the names on the card.
    """
    model = onnx.ModelProto()
    try:
        model.ParseFromString(file)
    except Exception as error:
        raise _no_onnx() from error
    if not model.graph.node or not model.opset_import:
        raise _no_onnx()
    strange = sorted({one.domain for one in model.opset_import} - OURS)
    if strange or model.functions:
        raise invalid(
            "onnx-operators",
            f"The file asks for operators of {strange[0] if strange else 'its own'!r}, which are not run here.",
            remedy="Export it with the operators of ONNX alone.",
        )
    nodes = 0
    for node, depth in _nodes(model.graph, 0):
        nodes += 1
        if nodes > MAX_NODES or depth > MAX_DEPTH:
            raise invalid("onnx-large", f"The file has more than {MAX_NODES} operations, or {MAX_DEPTH} levels.")
        if node.domain not in OURS:
            raise invalid(
                "onnx-operators",
                f"The file asks for operators of {node.domain!r}, which are not run here.",
                remedy="Export it with the operators of ONNX alone.",
            )
    for tensor in _tensors(model.graph, 0):
        if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
            raise invalid(
                "onnx-external",
                f"The file leaves the weights {tensor.name!r} in another file.",
                remedy="Save the model with its weights inside (onnx.save_model, save_as_external_data=False).",
            )
    _open.clear()
    session = _session(file)
    inputs = {one.name: one for one in session.get_inputs()}
    outputs = {one.name: one for one in session.get_outputs()}
    for name, there, place in ((wanted_in, inputs, "input"), (wanted_out, outputs, "output")):
        if name not in there:
            raise invalid(
                "onnx-tensor",
                f"The file has no {place} {name!r}; it has {', '.join(sorted(there))[:300]}.",
                place=f"/card/{place}",
            )
    if len(inputs) != 1:
        raise invalid("onnx-tensor", f"The file wants {len(inputs)} inputs; one is given.", place="/card/input")
    _open["session"], _open["in"], _open["out"] = session, wanted_in, wanted_out
    return {
        "input": [wanted_in, str(inputs[wanted_in].type), [str(n) for n in inputs[wanted_in].shape]],
        "output": [wanted_out, str(outputs[wanted_out].type), [str(n) for n in outputs[wanted_out].shape]],
        "nodes": nodes,
    }


def predict(packed: Mapping[str, Any]) -> dict[str, Any]:
    """(n, k) of the output for (n, …) features, as the file gives it: who asked looks at what it is."""
    shape = tuple(int(n) for n in packed["shape"])
    each = max(1, BATCH_BYTES // max(1, 4 * int(np.prod(shape[1:]))))
    rows = dense(packed)
    parts = []
    for since in range(0, shape[0], each):
        (out,) = _open["session"].run([_open["out"]], {_open["in"]: rows[since : since + each]})
        got = np.asarray(out)
        if got.dtype not in (np.float32, np.float64, np.float16) or got.ndim != 2 or got.size > 64_000_000:
            raise invalid("model-answers", f"The model answers {got.dtype} of shape {got.shape}; two axes are read.")
        parts.append(got.astype(np.float32))
    whole = np.concatenate(parts) if parts else np.zeros((0, 0), np.float32)
    return {"shape": list(whole.shape), "values": whole.tobytes()}


def _no_onnx() -> Exception:
    return invalid(
        "not-onnx",
        "This is no ONNX file.",
        remedy="Export the model as ONNX; pickles and other formats that run code are not read.",
    )


def _nodes(graph: Any, depth: int) -> Iterator[tuple[Any, int]]:
    for node in graph.node:
        yield node, depth
        for attribute in node.attribute:
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                if depth >= MAX_DEPTH:
                    yield node, depth + 1
                    return
                yield from _nodes(inner, depth + 1)


def _tensors(graph: Any, depth: int) -> Iterator[Any]:
    yield from graph.initializer
    for one in graph.sparse_initializer:
        yield from (one.values, one.indices)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            if attribute.HasField("sparse_tensor"):
                yield from (attribute.sparse_tensor.values, attribute.sparse_tensor.indices)
            yield from attribute.tensors
            for one in attribute.sparse_tensors:
                yield from (one.values, one.indices)
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                if depth < MAX_DEPTH:
                    yield from _tensors(inner, depth + 1)


VERBS: Mapping[str, Callable[..., Any]] = {"open": open_file, "predict": predict}
_warm()
