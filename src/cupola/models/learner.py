"""The embedded learner, as a caged child runs it: a linear model over features, calibrated out of fold, as ONNX.

Up to DENSE_DIMS features: multinomial logistic regression; beyond, where texts are counted into many places, one
linear support vector machine a class, which costs a tenth and is as right. Either way the scores become probabilities
by one temperature, fitted on predictions of tasks that the fold's model was not trained on (Guo et al., On Calibration
of Modern Neural Networks, 2017). Everything that is done to the features is inside the ONNX file, so that whoever runs
it needs nothing of this module. One thread and a seed: the same rows give the same bytes.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, checker, helper, numpy_helper
from scipy import optimize, sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from cupola.kernel import clock
from cupola.kernel.errors import invalid
from cupola.models.features import dense

DENSE_DIMS = 4_096
FOLDS = 5
LEAST_ROWS = 10
PENALTIES = (0.1, 1.0, 10.0)  # sklearn's C
OPSET, IR = 17, 9
WEAKEST = -1e4  # the score of a class that was never seen


def fit(packed: Mapping[str, Any], labels: bytes, classes: int, seed: int, counts: bool) -> dict[str, Any]:
    """Fit a model.

    packed: (n, d) features (features.Matrix); labels: (n,) int32 codes; counts: features are counts of n-grams, which
    are damped, weighed by how rare each is and brought to length one. Returns the ONNX file, (n, classes) float32
    probabilities out of fold, the temperature and the penalty. Raises Problem (INVALID) where there is too little.
    """
    began = clock.cpu_s()
    codes = np.frombuffer(labels, np.int32)
    if len(codes) < LEAST_ROWS:
        raise invalid(
            "labels-few",
            f"{len(codes)} tasks are settled; a model needs {LEAST_ROWS} at least.",
            remedy="Let people settle more first.",
        )
    seen = np.unique(codes)
    if len(seen) < 2:
        raise invalid(
            "labels-one-class",
            "Everything that is settled is of one class: there is nothing to tell apart.",
            remedy="Let people settle more first.",
        )
    if packed["indptr"] is None and len(packed["shape"]) != 2:
        raise invalid("features-shape", "The learner takes one row of numbers an item.")
    rows, prepared = _prepared(packed, counts)
    folds = _folds(codes, seed)
    losses = []
    for penalty in PENALTIES if prepared.wide <= DENSE_DIMS else (1.0,):
        scores = _out_of_fold(rows, codes, seen, folds, penalty, prepared.wide, classes, seed)
        temperature, loss = _temperature(scores, codes)
        losses.append((loss, penalty, temperature, scores))
    loss, penalty, temperature, scores = min(losses, key=lambda one: one[0])
    weights, bias = _weights(rows, codes, seen, penalty, prepared.wide, classes, seed)
    file = _as_onnx(prepared, weights / temperature, bias / temperature)
    return {
        "onnx": file,
        "out_of_fold": _softmax(scores / temperature).astype(np.float32).tobytes(),
        "temperature": temperature,
        "penalty": penalty,
        "log_loss": loss,
        "cpu_s": clock.cpu_s() - began,
    }


class _Prepared:
    """What is done to features before the linear model. idf: (d,) of counts; else mean and 1 / spread, (d,)."""

    def __init__(self, wide: int) -> None:
        self.wide = wide
        self.idf: NDArray[np.float32] | None = None
        self.mean: NDArray[np.float32] | None = None
        self.by: NDArray[np.float32] | None = None


def _prepared(packed: Mapping[str, Any], counts: bool) -> tuple[Any, _Prepared]:
    shape = tuple(int(n) for n in packed["shape"])
    out = _Prepared(shape[1])
    if not counts:
        values = dense(packed)
        if not np.isfinite(values).all():
            raise invalid("features-nan", "A feature is not finite.")
        spread = values.std(axis=0)
        # one scale for all: pixels and embeddings say something by being larger than others
        alike = float(np.sqrt((spread**2).mean())) or 1.0
        uneven = bool((spread > 0).any() and spread.max() > 100 * np.median(spread[spread > 0]))
        out.mean = values.mean(axis=0).astype(np.float32)
        by = np.where(spread > 0, 1.0 / np.maximum(spread, 1e-12), 0.0) if uneven else np.full(shape[1], 1.0 / alike)
        out.by = by.astype(np.float32)
        return (values - out.mean) * out.by, out
    indptr, indices = np.frombuffer(packed["indptr"], np.int32), np.frombuffer(packed["indices"], np.int32)
    matrix = sparse.csr_matrix((np.frombuffer(packed["values"], np.float32), indices, indptr), shape=shape)
    seen = np.bincount(indices, minlength=shape[1])
    out.idf = (np.log((1.0 + shape[0]) / (1.0 + seen)) + 1.0).astype(np.float32)
    matrix = matrix.copy()
    matrix.data = (1.0 + np.log(matrix.data)) * out.idf[indices]
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    scaled = sparse.diags_array(1.0 / np.maximum(length, 1e-12)).astype(np.float32) @ matrix
    return scaled.tocsr(), out


def _folds(codes: NDArray[np.int32], seed: int) -> NDArray[np.int64]:
    """(n,) fold of each row, every class spread over all of them."""
    rng = np.random.default_rng(seed)
    fold = np.empty(len(codes), np.int64)
    at = 0
    for code in np.unique(codes):
        mine = rng.permutation(np.flatnonzero(codes == code))
        fold[mine] = (at + np.arange(len(mine))) % FOLDS
        at += len(mine)
    return fold


def _weights(
    rows: Any, codes: NDArray[np.int32], seen: NDArray[np.int32], penalty: float, wide: int, classes: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(d, classes) weights and (classes,) intercepts; a class that was not seen is the least likely everywhere."""
    weights, bias = np.zeros((wide, classes)), np.full(classes, WEAKEST)
    there = np.unique(codes)
    if len(there) == 1:
        bias[there] = 0.0
        return weights, bias
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        if wide <= DENSE_DIMS:
            model: Any = LogisticRegression(C=penalty / 10.0, max_iter=300, tol=1e-4).fit(rows, codes)
        else:
            model = LinearSVC(C=penalty, max_iter=300, random_state=seed).fit(rows, codes)
    coefficients, intercepts = model.coef_, model.intercept_
    if len(there) == 2:  # sklearn writes two classes as one
        coefficients = np.concatenate([-coefficients, coefficients]) / 2.0
        intercepts = np.concatenate([-intercepts, intercepts]) / 2.0
    weights[:, there] = coefficients.T
    bias[there] = intercepts
    return weights, bias


def _out_of_fold(
    rows: Any,
    codes: NDArray[np.int32],
    seen: NDArray[np.int32],
    folds: NDArray[np.int64],
    penalty: float,
    wide: int,
    classes: int,
    seed: int,
) -> NDArray[np.float64]:
    """(n, classes) scores of each row by a model that was fitted without its fold."""
    scores = np.empty((len(codes), classes))
    for fold in range(FOLDS):
        test = np.flatnonzero(folds == fold)
        if not len(test):
            continue
        train = np.flatnonzero(folds != fold)
        weights, bias = _weights(rows[train], codes[train], seen, penalty, wide, classes, seed)
        scores[test] = np.asarray(rows[test] @ weights) + bias
    return scores


def _softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def _temperature(scores: NDArray[np.float64], codes: NDArray[np.int32]) -> tuple[float, float]:
    """(temperature, log-loss) that make the scores likeliest.

    One more row than there are counts as wrong, so that no model that erred on none of them is sure for ever (Platt,
    1999). A class that a fold never saw costs no more than 1e-6.
    """
    rows = np.arange(len(codes))
    doubt = 1.0 / (len(codes) + 2.0)

    def likelihoods(log_t: float) -> tuple[float, float]:
        shares = _softmax(scores / np.exp(log_t))[rows, codes]
        right, wrong = (float(np.log(np.maximum(p, 1e-6)).mean()) for p in (shares, 1.0 - shares))
        return right, wrong

    def loss(log_t: float) -> float:
        right, wrong = likelihoods(log_t)
        return -(1.0 - doubt) * right - doubt * wrong

    found = optimize.minimize_scalar(loss, bounds=(-5.0, 4.0), method="bounded", options={"xatol": 1e-3})
    return float(np.exp(found.x)), -likelihoods(float(found.x))[0]


def _as_onnx(prepared: _Prepared, weights: NDArray[np.float64], bias: NDArray[np.float64]) -> bytes:
    """The whole way from features to probabilities as an ONNX file."""
    nodes, tensors, at = [], [], "features"

    def tensor(name: str, value: NDArray[Any]) -> str:
        tensors.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(op: str, inputs: list[str], name: str, **more: Any) -> str:
        nodes.append(helper.make_node(op, inputs, [name], name=name, **more))
        return name

    if prepared.idf is not None:
        one, tiny = tensor("one", np.array([1.0], np.float32)), tensor("tiny", np.array([1e-12], np.float32))
        there = node("Greater", [at, tensor("zero", np.array([0.0], np.float32))], "there")
        safe = node("Max", [at, tiny], "safe")
        damped = node("Add", [node("Log", [safe], "logs"), one], "damped")
        weighed = node("Mul", [damped, tensor("idf", prepared.idf)], "weighed")
        kept = node("Where", [there, weighed, tensor("nothing", np.array([0.0], np.float32))], "kept")
        square = node("ReduceL2", [kept], "length", axes=[1], keepdims=1)
        at = node("Div", [kept, node("Max", [square, tiny], "length_safe")], "scaled")
    else:
        assert prepared.mean is not None
        assert prepared.by is not None
        at = node("Mul", [node("Sub", [at, tensor("mean", prepared.mean)], "centred"), tensor("by", prepared.by)],
                  "scaled")  # fmt: skip
    at = node("MatMul", [at, tensor("weights", weights.astype(np.float32))], "products")
    at = node("Add", [at, tensor("bias", bias.astype(np.float32))], "logits")
    node("Softmax", [at], "probabilities", axis=1)
    into = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", prepared.wide])
    out = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", weights.shape[1]])
    graph = helper.make_graph(nodes, "cupola-linear", [into], [out], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="cupola")
    model.ir_version = IR
    checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def _warm() -> None:
    """Once, while files may still be opened: libraries load parts of themselves when they are first used."""
    rng = np.random.default_rng(0)
    for wide in (2, DENSE_DIMS + 1):
        rows = rng.random((2 * LEAST_ROWS, wide)).astype(np.float32)
        packed = {"shape": list(rows.shape), "values": rows.tobytes(), "indptr": None, "indices": None}
        fit(packed, (np.arange(len(rows)) % 2).astype(np.int32).tobytes(), 2, 0, False)


VERBS: Mapping[str, Callable[..., Any]] = {"fit": fit}
_warm()
