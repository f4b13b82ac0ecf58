"""Every strategy by itself: what it learns of a made crowd, what it decides, and that a model kept decides the same."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
import pytest

from cupola.labels import (
    KINDS,
    SHAPES,
    Ontology,
    decode_label,
    decode_ontology,
    distance,
    encode,
    merge,
    same,
    strategy_of,
)
from cupola.labels.shapes.mask import mask_of
from cupola.quality import live
from cupola.quality.inference import rover
from cupola.quality.online import Plan
from cupola.quality.strategies import STRATEGIES, strategy_for
from cupola.quality.strategies.base import Aims, AnyStrategy, Evidence
from tests.quality_service.pairs_crowd import pairs_crowd

PLAN = Plan(0.95, 1, 5)
AIMS = Aims(0.95, 0.5, 0.95, PLAN)


@dataclass(frozen=True)
class Judged:
    id: UUID
    task: UUID
    worker: UUID
    code: int | None
    label: str
    truth: str = ""


@dataclass(frozen=True)
class Made:
    """votes of every task, and what is true of it as a label; the first `golds` tasks are gold."""

    ontology: Ontology
    votes: list[Judged]
    truth: dict[UUID, str]
    golds: int

    @property
    def strategy(self) -> AnyStrategy:
        return strategy_for(self.ontology)

    @property
    def tasks(self) -> list[UUID]:
        return list(self.truth)

    def evidence(self) -> Evidence:
        gold = set(self.tasks[: self.golds])
        made: dict[UUID, int] = {}
        for vote in self.votes:
            made[vote.worker] = made.get(vote.worker, 0) + 1
        coded = not self.strategy.reads_labels
        code = {spec.name: n for n, spec in enumerate(self.ontology.classes)}
        return Evidence(
            made,
            codes=[v for v in self.votes if v.code is not None] if coded else (),  # type: ignore[misc]
            golds={task: code[json.loads(self.truth[task])["values"][0]] for task in gold} if coded else {},
            truths=() if coded else [v for v in self.votes if v.task in gold],
            labels=() if coded else self.votes,
        )


def uuid(group: int, n: int) -> UUID:
    return UUID(int=(group << 64) + n + 1)


def crowd(
    ontology: dict[str, Any], truths: Sequence[Any], votes: Sequence[Sequence[tuple[int, Any]]], golds: int
) -> Made:
    """truths: a label a task; votes: for each task (worker, label)."""
    spec = decode_ontology(ontology)
    texts = {uuid(1, n): encode(decode_label(json.dumps(one))).decode() for n, one in enumerate(truths)}
    rows = [
        Judged(
            uuid(3, 100 * n + m),
            uuid(1, n),
            uuid(2, who),
            KINDS[spec.kind].code_of(decode_label(json.dumps(said)), spec),
            json.dumps(said),
            texts[uuid(1, n)],
        )
        for n, mine in enumerate(votes)
        for m, (who, said) in enumerate(mine)
    ]
    return Made(spec, rows, texts, golds)


def choices(classes: int, tasks: int = 300, seed: int = 1) -> Made:
    rng = np.random.default_rng(seed)
    names = [f"c{n}" for n in range(classes)]
    truth = rng.integers(classes, size=tasks)
    skill = rng.uniform(0.6, 0.95, 12)

    def said(who: int, is_true: int) -> dict[str, Any]:
        right = rng.random() < skill[who]
        return {"kind": "choice", "values": [names[is_true if right else int(rng.integers(classes))]]}

    votes = [[(int(w), said(int(w), int(t))) for w in rng.choice(12, 3, replace=False)] for t in truth]
    ontology = {"kind": "choice", "classes": [{"name": name} for name in names]}
    return crowd(ontology, [{"kind": "choice", "values": [names[t]]} for t in truth], votes, 60)


def several(classes: int = 6, tasks: int = 200) -> Made:
    """Some say one class never although it applies: what a vote by sets cannot know."""
    rng = np.random.default_rng(2)
    names = [f"c{n}" for n in range(classes)]
    truth = rng.random((tasks, classes)) < 0.25
    sees = rng.uniform(0.85, 0.98, (10, classes))
    sees[:4, 0] = 0.1  # four of ten are blind to the first class

    def said(who: int, row: Any) -> dict[str, Any]:
        seen = np.where(row, rng.random(classes) < sees[who], rng.random(classes) < 0.02)
        return {"kind": "choice", "values": [name for name, is_there in zip(names, seen, strict=True) if is_there]}

    votes = [[(int(w), said(int(w), row)) for w in rng.choice(10, 5, replace=False)] for row in truth]
    truths = [{"kind": "choice", "values": [n for n, v in zip(names, row, strict=True) if v]} for row in truth]
    return crowd({"kind": "choice", "multiple": True, "classes": [{"name": n} for n in names]}, truths, votes, 60)


CAREFUL, HASTY = (0.01, 0.02, 0.03, 0.04, 0.05, 0.3), (0.03, 0.05, 0.08, 0.1, 0.15, 0.4)


def texts(tasks: int = 120, errors: Sequence[float] = CAREFUL) -> Made:
    rng = np.random.default_rng(3)
    words = ["river", "stone", "light", "garden", "seven", "window", "yellow", "market", "paper", "silver"]

    def said(who: int, true: list[str]) -> dict[str, Any]:
        heard = [w if rng.random() > errors[who] else str(rng.choice(words)) for w in true]
        return {"kind": "text", "text": " ".join(heard) + "."}

    truth = [[str(w) for w in rng.choice(words, 12)] for _ in range(tasks)]
    votes = [[(int(w), said(int(w), true)) for w in rng.choice(6, 4, replace=False)] for true in truth]
    return crowd({"kind": "text"}, [{"kind": "text", "text": " ".join(t) + "."} for t in truth], votes, 40)


def drawn(shape: str, tasks: int = 80) -> Made:
    rng = np.random.default_rng(4)
    slips = [0.5, 1.0, 1.0, 8.0, 8.0]  # px

    def thing(n: int, x: float, y: float) -> dict[str, Any]:
        at = {
            "point": {"x": x, "y": y},
            "box": {"x": x, "y": y, "w": 60, "h": 40},
            "polygon": {
                "points": [[x, y], [x + 60, y], [x + 60, y + 40], [x + 30, y + 20], [x, y + 40]],
                "holes": [[[x + 10, y + 5], [x + 20, y + 5], [x + 15, y + 15]]],
            },
            "polyline": {"points": [[x, y], [x + 30, y + 10], [x + 60, y + 10]]},
            "ellipse": {"x": x + 30, "y": y + 20, "rx": 30, "ry": 20},
            "skeleton": {"points": [{"name": name, "x": x + dx, "y": y + dy} for name, dx, dy in PLACES]},
            "mask": {"tiles": painted(x, y)},
        }[shape]
        return {"id": str(n), "cls": "a", "shape": {"type": shape, **at}}

    def said(who: int, places: Any) -> dict[str, Any]:
        own = places + rng.normal(0, slips[who], places.shape)
        return {"kind": "objects", "objects": [thing(n, float(x), float(y)) for n, (x, y) in enumerate(own)]}

    truth = [np.stack([rng.uniform(0, 20, 2) + np.array([200.0 * n, 0.0]) for n in range(3)]) for _ in range(tasks)]
    votes = [[(int(w), said(int(w), t)) for w in rng.choice(5, 3, replace=False)] for t in truth]
    truths = [{"kind": "objects", "objects": [thing(n, *map(float, p)) for n, p in enumerate(t)]} for t in truth]
    spec: dict[str, Any] = {"name": "a", "geometry": shape}
    if shape == "skeleton":
        spec["skeleton"] = {"points": [{"name": name, "x": 0.5, "y": 0.5} for name, _, _ in PLACES]}
    return crowd({"kind": "objects", "classes": [spec]}, truths, votes, 30)


def followed(tasks: int = 90) -> Made:
    """Three cars in 40 frames, keyed at three places each; some hands are loose, and now and then one misses a car."""
    rng = np.random.default_rng(6)
    slips = [0.5, 1.0, 1.0, 9.0, 9.0]  # px

    def track(n: int, places: Any) -> dict[str, Any]:
        keys = [
            {"frame": 19 * at, "shape": {"type": "box", "x": float(x), "y": float(y), "w": 60, "h": 40}}
            for at, (x, y) in enumerate(places)
        ]
        return {"id": str(n), "cls": "a", "keys": keys}

    def label(cars: Any) -> dict[str, Any]:
        return {"kind": "tracks", "tracks": [track(n, places) for n, places in enumerate(cars)], "frames": 40}

    def said(who: int, cars: Any) -> dict[str, Any]:
        own = cars + rng.normal(0, slips[who], cars.shape)
        return label(own[1:] if rng.random() < 0.04 else own)

    start = np.array([[[100.0, 300.0 * n], [180.0, 300.0 * n], [260.0, 300.0 * n]] for n in range(3)])
    truth = [start + rng.uniform(0, 20, (3, 1, 2)) for _ in range(tasks)]
    votes = [[(int(w), said(int(w), t)) for w in rng.choice(5, 3, replace=False)] for t in truth]
    spec = {"kind": "tracks", "classes": [{"name": "a", "geometry": "box"}]}
    return crowd(spec, [label(t) for t in truth], votes, 25)


PLACES = (("head", 30, 0), ("left", 0, 40), ("right", 60, 40))


def painted(x: float, y: float) -> Any:
    """The tiles of a mask of 60 x 40 px at the nearest pixel of a picture."""
    mask = mask_of(np.ones((40, 60), dtype=np.bool_), max(0, round(x)), max(0, round(y)))
    return msgspec.to_builtins(mask)["tiles"]


def filled(tasks: int = 150) -> Made:
    """Each slips in one question of eight now and then: whole forms seldom agree, answers nearly always do."""
    rng = np.random.default_rng(5)
    options = ["a", "b", "c", "d"]
    names = [f"q{n}" for n in range(7)]
    slips = [0.02, 0.04, 0.05, 0.08, 0.1, 0.3]
    asked = [{"name": name, "type": "choice", "options": options, "required": True} for name in names]
    asked.append({"name": "count", "type": "number", "when": {"attribute": "q0", "equals": "a"}})

    def form(row: Any, count: float) -> dict[str, Any]:
        answers: dict[str, Any] = {name: options[int(n)] for name, n in zip(names, row, strict=True)}
        return {"kind": "form", "answers": answers | ({"count": count} if answers["q0"] == "a" else {})}

    def said(who: int, row: Any, count: float) -> dict[str, Any]:
        wrong = rng.random(len(row)) < slips[who]
        own = np.where(wrong, (row + rng.integers(1, 4, len(row))) % 4, row)
        return form(own, count + (1.0 if rng.random() < slips[who] else 0.0))

    truth = [(rng.integers(4, size=7), float(rng.integers(50))) for _ in range(tasks)]
    votes = [[(int(w), said(int(w), *true)) for w in rng.choice(6, 4, replace=False)] for true in truth]
    return crowd({"kind": "form", "attributes": asked}, [form(*true) for true in truth], votes, 40)


def compared() -> Made:
    found = pairs_crowd(4, tasks=300, votes=4)
    names = ["A", "B", "equal"]
    said: dict[UUID, list[tuple[int, Any]]] = {task: [] for task in found.tasks}
    for vote in found.votes:
        said[vote.task].append((found.workers.index(vote.worker), {"kind": "choice", "values": [names[vote.code]]}))
    truths = [{"kind": "choice", "values": [names[int(code)]]} for code in found.truth]
    spec = {"kind": "choice", "compare": True, "classes": [{"name": name} for name in names]}
    return crowd(spec, truths, list(said.values()), 40)


CROWDS = {
    "coded": lambda: choices(4),
    "wide": lambda: choices(60),
    "multilabel": several,
    "rover": texts,
    "shapes": lambda: drawn("box"),
    "tracks": followed,
    "form": filled,
    "pairs": compared,
}


def test_there_is_a_crowd_for_every_strategy_and_a_strategy_for_every_name_a_kind_gives() -> None:
    assert set(CROWDS) == set(STRATEGIES)
    named = {name for kind in KINDS.values() for name in kind.strategies}
    assert named <= set(STRATEGIES)
    assert all(STRATEGIES[name].name == name for name in STRATEGIES)
    assert {strategy_of(made().ontology) for made in CROWDS.values()} == named


@pytest.mark.parametrize("name", CROWDS)
def test_what_a_strategy_settles_is_as_right_as_it_says(name: str) -> None:
    made = CROWDS[name]()
    strategy = made.strategy
    assert strategy.name == name
    model, people = strategy.fit(strategy.cold(made.ontology, 0.95), made.ontology, made.evidence(), AIMS)
    assert (model.version, model.judgements) == (1, len(made.votes))
    assert len(people.workers) == len(people.a) == len(people.flags)
    work = made.tasks[made.golds :]
    votes = [vote for vote in made.votes if vote.task in set(work)]
    plan = Plan(model.threshold, 1, 5)
    rulings = strategy.decide(model, made.ontology, work, votes, plan)
    assert [ruling.task for ruling in rulings] == work
    settled = [ruling for ruling in rulings if ruling.verdict == "settle"]
    assert len(settled) >= 20, "a crowd like this settles something"
    tolerance = max(KINDS[made.ontology.kind].tolerance, 1e-9)
    right = [
        distance(ruling.label, decode_label(made.truth[ruling.task]), made.ontology) <= tolerance for ruling in settled
    ]
    said = float(np.mean([ruling.confidence for ruling in settled]))
    assert np.mean(right) >= said - 3 * np.sqrt(said * (1 - said) / len(settled)) - 0.03
    assert all(0.0 <= part.confidence <= 1.0 for ruling in settled for part in ruling.parts)
    assert sum(bool(ruling.parts) for ruling in settled) > 0.5 * len(settled)
    # a task nobody has judged is asked for, whatever the model
    (alone,) = strategy.decide(model, made.ontology, [uuid(9, 9)], [], plan)
    assert alone.verdict == "more"
    worth = strategy.value(model, rulings[0], [*people.workers[:3], uuid(8, 8)])
    assert worth.shape == (4,)
    assert np.isfinite(worth).all()
    pool = strategy.pool(model, made.ontology)
    assert pool.confusions.shape[1] <= 64


@pytest.mark.parametrize("name", CROWDS)
def test_a_model_that_was_kept_decides_the_same(name: str) -> None:
    made = CROWDS[name]()
    strategy = made.strategy
    model, _ = strategy.fit(strategy.cold(made.ontology, 0.95), made.ontology, made.evidence(), AIMS)
    kept = strategy.freeze(model)
    again, twice = strategy.thaw(kept), strategy.thaw(strategy.freeze(strategy.thaw(kept)))
    plan = Plan(model.threshold, 1, 5)
    rulings = [strategy.decide(one, made.ontology, made.tasks, made.votes, plan) for one in (model, again, twice)]
    for fresh, thawed, second in zip(*rulings, strict=True):
        assert thawed.confidence == second.confidence
        assert thawed.confidence == pytest.approx(fresh.confidence, abs=1e-3)
        assert (thawed.verdict, thawed.label) == (second.verdict, second.label)
    ruling = rulings[1][0]
    mine = [vote for vote in made.votes if vote.task == ruling.task]
    account = strategy.account(again, made.ontology, mine, plan)
    assert account.confidence == pytest.approx(ruling.confidence, abs=1e-6)
    assert [heard.worker for heard in account.heard] == [vote.worker for vote in mine]


@pytest.mark.parametrize("name", CROWDS)
def test_the_order_of_votes_changes_no_decision(name: str) -> None:
    made = CROWDS[name]()
    strategy = made.strategy
    model, _ = strategy.fit(strategy.cold(made.ontology, 0.95), made.ontology, made.evidence(), AIMS)
    plan = Plan(model.threshold, 1, 5)
    forward = strategy.decide(model, made.ontology, made.tasks, made.votes, plan)
    backward = strategy.decide(model, made.ontology, made.tasks, made.votes[::-1], plan)
    same_verdict = [a.verdict == b.verdict for a, b in zip(forward, backward, strict=True)]
    assert all(same_verdict)


def test_texts_put_together_word_by_word_have_fewer_wrong_words_than_the_most_central_one() -> None:
    made = texts(errors=HASTY)
    strategy = made.strategy
    model, _ = strategy.fit(strategy.cold(made.ontology, 0.95), made.ontology, made.evidence(), AIMS)
    ours = central = 0
    for task in made.tasks[made.golds :]:
        mine = [vote for vote in made.votes if vote.task == task]
        labels = [decode_label(vote.label) for vote in mine]
        truth = rover.keys_of(json.loads(made.truth[task])["text"])
        (ruling,) = strategy.decide(model, made.ontology, [task], mine, PLAN)
        ours += rover.word_errors(rover.keys_of(ruling.label.text), truth)
        medoid: Any = merge(labels, [1.0] * len(labels), made.ontology)
        central += rover.word_errors(rover.keys_of(medoid.text), truth)
    assert ours < 0.6 * central


def test_punctuation_line_breaks_and_scripts_without_spaces_survive_settling() -> None:
    ontology = decode_ontology({"kind": "text"})
    strategy = strategy_for(ontology)
    cold = strategy.cold(ontology, 0.9)

    def settled(*said: str) -> Any:
        votes = [
            Judged(uuid(3, n), uuid(1, 0), uuid(2, n), None, json.dumps({"kind": "text", "text": t}))
            for n, t in enumerate(said)
        ]
        (ruling,) = strategy.decide(cold, ontology, [uuid(1, 0)], votes, PLAN)
        return ruling.label.text, ruling.confidence

    chinese = "你好，世界。今天下雨，我们在家里读书。"
    assert settled(chinese, chinese, chinese)[0] == chinese
    wrong = chinese.replace("雨", "雪")
    assert settled(chinese, wrong, chinese)[0] == chinese
    lines = "one two three four\nfive six seven eight"
    assert settled(lines, lines.replace("six", "sex"), lines.replace("two", "too"))[0] == lines
    assert settled("...", "...", "...") == ("...", settled("a", "a", "a")[1])
    assert settled("", "", "")[0] == ""
    assert settled("yes", "no")[1] < 0.7


def test_careful_hands_place_what_several_drew() -> None:
    worst_px = {"box": 1.3, "point": 1.3, "polygon": 1.6}
    worst_px |= {"polyline": 1.6, "ellipse": 1.3, "skeleton": 1.3, "mask": 1.6}
    assert set(worst_px) == set(SHAPES)
    for shape, worst in worst_px.items():
        made = drawn(shape, 80 if shape in ("box", "point", "polygon") else 40)
        strategy = made.strategy
        model, _ = strategy.fit(strategy.cold(made.ontology, 0.95), made.ontology, made.evidence(), AIMS)
        careful, sloppy = model.say[uuid(2, 0)], model.say[uuid(2, 4)]
        assert careful > 2 * sloppy, shape
        away = []
        for ruling in strategy.decide(model, made.ontology, made.tasks, made.votes, PLAN):
            truth: Any = decode_label(made.truth[ruling.task])
            if ruling.label is not None and len(ruling.label.objects) == 3:
                for ours, theirs in zip(ruling.label.objects, truth.objects, strict=True):
                    kind = SHAPES[shape]
                    away += abs(kind.bounds([ours.shape]) - kind.bounds([theirs.shape]))[0].tolist()
        assert np.median(away) < worst, shape


def test_classes_that_some_never_see_are_settled_by_those_who_do() -> None:
    made = several()
    strategy = made.strategy
    model, _ = strategy.fit(strategy.cold(made.ontology, 0.95), made.ontology, made.evidence(), AIMS)
    ours = plain = 0
    for task in made.tasks[made.golds :]:
        mine = [vote for vote in made.votes if vote.task == task]
        labels = [decode_label(vote.label) for vote in mine]
        truth = decode_label(made.truth[task])
        ours += same(
            strategy.together(model, labels, [v.worker for v in mine], made.ontology).label, truth, made.ontology
        )
        plain += same(merge(labels, [1.0] * len(labels), made.ontology), truth, made.ontology)
    assert ours > plain + 5


def test_forms_are_known_question_by_question_where_whole_forms_seldom_agree() -> None:
    made = filled()
    strategy = made.strategy
    model, _ = strategy.fit(strategy.cold(made.ontology, 0.95), made.ontology, made.evidence(), AIMS)
    settled = alone = 0
    for task in made.tasks[made.golds :]:
        mine = [vote for vote in made.votes if vote.task == task]
        (ruling,) = strategy.decide(model, made.ontology, [task], mine, Plan(0.9, 1, 5))
        labels = [decode_label(vote.label) for vote in mine]
        truth = decode_label(made.truth[task])
        settled += ruling.verdict == "settle" and same(ruling.label, truth, made.ontology)
        alone += sum(same(label, truth, made.ontology) for label in labels) > len(labels) / 2
    assert settled > alone + 8, "more than what most of them had wholly right"


def test_ten_thousand_classes_are_fitted_and_decided_in_memory_that_follows_the_votes() -> None:
    made = choices(10_000, tasks=300)
    strategy = made.strategy
    tracemalloc.start()
    try:
        model, _ = strategy.fit(strategy.cold(made.ontology, 0.95), made.ontology, made.evidence(), AIMS)
        rulings = strategy.decide(model, made.ontology, made.tasks, made.votes, Plan(model.threshold, 1, 5))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(strategy.freeze(model)) < 300_000
    assert sum(ruling.verdict == "settle" for ruling in rulings) > 100
    assert peak < 64 * 1024 * 1024


def test_tables_of_a_hundred_classes_are_looked_at_a_column_a_vote() -> None:
    """A model of before, with a table for each of ten people: 3,000 votes need no copy of a table each (240 MB)."""
    rng = np.random.default_rng(6)
    classes, people = 100, [uuid(2, n) for n in range(10)]
    cold = live.cold(classes)
    tables = rng.dirichlet(np.ones(classes), (len(people), classes))
    model = replace(cold, version=1, workers={who: n for n, who in enumerate(people)}, confusion=tables)
    code = rng.integers(classes, size=3_000)
    workers = [people[n] for n in rng.integers(len(people), size=3_000)]
    tracemalloc.start()
    try:
        posterior, _ = live.posteriors(model, np.arange(3_000) % 600, 600, [*workers[:-1], uuid(8, 8)], code)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert posterior.shape == (600, classes)
    assert peak < 40 * 1024 * 1024
    asked = model.tables(workers[:20])[np.arange(20), :, code[:20]]
    assert model.said(workers[:20], code[:20]) == pytest.approx(asked)
    assert model.said([uuid(8, 8)], code[:1])[0] == pytest.approx(np.log(model.newcomer[:, code[0]]))


@pytest.mark.parametrize("shape", SHAPES)
def test_what_one_person_alone_drew_is_settled_as_they_drew_it_to_the_last_bit(shape: str) -> None:
    made = drawn(shape, tasks=20)
    alone = list({vote.task: vote for vote in made.votes}.values())
    model = made.strategy.cold(made.ontology, 0.6)
    rulings = made.strategy.decide(model, made.ontology, [v.task for v in alone], alone, Plan(0.6, 1, 1))
    assert [ruling.label for ruling in rulings] == [decode_label(vote.label) for vote in alone]
    assert all(ruling.verdict == "settle" and 0.7 < ruling.confidence < 0.9 for ruling in rulings)
