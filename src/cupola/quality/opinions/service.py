"""The verbs of opinions: a model's are given and looked up; decisions and fits hear them."""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import numpy as np

from cupola.kernel import clock, ids, limits
from cupola.kernel.errors import Problem, conflict, invalid
from cupola.labels import ItemFacts, Ontology, code_of, encode, kind_of, label_from, label_of, validate
from cupola.platform import events
from cupola.platform.pg.tx import Conn
from cupola.quality import store as quality_store
from cupola.quality.online import Plan
from cupola.quality.opinions import reliability, store
from cupola.quality.opinions.model import Given, HeardModel, Kept, Opinion
from cupola.quality.opinions.reliability import Looked, Rater, Said
from cupola.quality.strategies.base import AnyStrategy, Model, Ruling, Vote
from cupola.tasks import service as tasks_service

GIVEN = "opinions.given"
SUM_SLACK = 0.01  # that probabilities may be away from 1: models round
FROM_JUDGEMENTS = 40_000  # the newest, whose tasks a fit compares with what models said of them
MOST_COMPARED = 40_000  # opinions
HOUSE = "cupola.opinion.rater"


def rater_of(tenant: UUID, model: str, version: str) -> UUID:
    """The identifier of one version of a model in a tenant."""
    named = "\x00".join((HOUSE, str(tenant), model, version))
    return ids.derived(hashlib.sha256(named.encode()).digest())


async def give(conn: Conn, tenant: UUID, project: UUID, model: str, version: str, given: Sequence[Given]) -> Kept:
    """Keep what a version of a model says of tasks: all of it or, with the place of the first fault, nothing.

    The same said again changes nothing. Raises Problem: NOT_FOUND; INVALID for a task that is not the project's or a
    label that does not fit; CONFLICT "opinion-differs" for something else than this version said before.
    """
    _, ontology = await tasks_service.project_and_ontology(conn, tenant, project)
    about = await _about(conn, tenant, project, given)
    labels = await asyncio.to_thread(_checked, given, about, ontology)
    rater = rater_of(tenant, model, version)
    codes = [code_of(label, ontology) for label in labels]
    texts = [encode(label).decode() for label in labels]
    shares = [_in_order(one, ontology) for one in given]
    tasks = [row.task for row in about]
    created = await store.ADD.run(
        conn,
        tenant=tenant,
        project=project,
        model=model,
        model_version=version,
        rater=rater,
        ids=[ids.uuid7() for _ in given],
        tasks=tasks,
        labels=texts,
        codes=codes,
        probabilities=[None if one is None else "{" + ",".join(map(repr, one)) + "}" for one in shares],
        confidences=[one.confidence for one in given],
        now=clock.now(),
    )
    if created < len(given):
        await _as_before(conn, tenant, rater, tasks, texts, shares, given)
    if created:
        await events.emit(conn, tenant, GIVEN, project, project, opinions=created)
    return Kept(created, len(given) - created)


async def _about(conn: Conn, tenant: UUID, project: UUID, given: Sequence[Given]) -> list[store.AboutRow]:
    """The task of each, in their order."""
    named = [one.task for one in given if one.task is not None]
    refs = [one.ref for one in given if one.ref is not None]
    by_task = {
        row.task: row for row in await store.ABOUT.all(conn, tenant=tenant, project=project, tasks=named) if named
    }
    by_ref: dict[str, list[store.AboutRow]] = {}
    for row in await store.ABOUT_REFS.all(conn, tenant=tenant, project=project, refs=refs) if refs else ():
        by_ref.setdefault(row.ref, []).append(row)
    found: list[store.AboutRow] = []
    seen: dict[UUID, int] = {}
    for n, one in enumerate(given):
        place = f"/opinions/{n}"
        if (one.task is None) == (one.ref is None):
            raise invalid(
                "opinion-of-nothing",
                "An opinion names its task, by `task` or by the `ref` of its item, and not by both.",
                place=place,
            )
        if one.task is not None:
            met: store.AboutRow | None = by_task.get(one.task)
        else:
            alike = by_ref.get(one.ref or "", [])
            if len(alike) > 1:
                raise invalid(
                    "ref-ambiguous",
                    f"{len(alike)} tasks of this project have the reference {one.ref!r}.",
                    place=f"{place}/ref",
                    remedy="Name the task by its identifier.",
                )
            met = alike[0] if alike else None
        if met is None:
            raise invalid(
                "task-unknown",
                "This project has no such task.",
                place=f"{place}/{'task' if one.task is not None else 'ref'}",
                remedy="GET /api/projects/{project}/tasks lists them; nothing of this request was kept.",
            )
        if met.task in seen:
            raise invalid(
                "task-twice",
                f"Opinion {seen[met.task]} is about the same task.",
                place=place,
                remedy="A version of a model says one thing about a task.",
            )
        seen[met.task] = n
        found.append(met)
    return found


def _checked(given: Sequence[Given], about: Sequence[store.AboutRow], ontology: Ontology) -> list[Any]:
    labels = []
    for n, (one, row) in enumerate(zip(given, about, strict=True)):
        place = f"/opinions/{n}"
        _check_probabilities(one, ontology, place)
        try:
            if one.label is None:
                labels.append(label_of(_likeliest(one, ontology, place), ontology))
                continue
            label = label_from(one.label)
            validate(label, ontology, ItemFacts(width_px=row.width_px, height_px=row.height_px))
        except Problem as problem:
            if not problem.place.startswith(place):
                problem.place = f"{place}/label{problem.place}"
            raise
        labels.append(label)
    return labels


def _check_probabilities(one: Given, ontology: Ontology, place: str) -> None:
    if one.probabilities is None:
        return
    if kind_of(ontology).strategy(ontology) != "coded":
        raise invalid(
            "probabilities-unused",
            "Probabilities by class are of a choice of one class; this project asks for other labels.",
            place=f"{place}/probabilities",
            remedy="Leave them out and send the confidence of the label.",
        )
    strange = sorted(set(one.probabilities) - set(ontology.class_index))
    if strange:
        raise invalid(
            "label-unknown-class",
            f"The ontology has no class {strange[0]!r}.",
            place=f"{place}/probabilities/{strange[0]}",
            remedy="Give each class by its name; classes that are left out count as 0.",
        )
    total = sum(one.probabilities.values())
    if any(not 0.0 <= p <= 1.0 or math.isnan(p) for p in one.probabilities.values()) or abs(total - 1.0) > SUM_SLACK:
        raise invalid(
            "probabilities-sum",
            f"Probabilities lie between 0 and 1 and come to 1; these come to {total:.4g}.",
            place=f"{place}/probabilities",
        )


def _likeliest(one: Given, ontology: Ontology, place: str) -> int:
    shares = _in_order(one, ontology)
    if shares is None:
        raise invalid("label-missing", "An opinion has a label, or the probabilities of the classes.", place=place)
    return int(np.argmax(shares))


def _in_order(one: Given, ontology: Ontology) -> list[float] | None:
    if one.probabilities is None:
        return None
    return [one.probabilities.get(spec.name, 0.0) for spec in ontology.classes]


def _as_stored(value: float | list[float] | None) -> Any:
    """In the single precision that the table has."""
    return None if value is None else np.asarray(value, np.float32).tolist()


async def _as_before(
    conn: Conn,
    tenant: UUID,
    rater: UUID,
    tasks: Sequence[UUID],
    texts: Sequence[str],
    shares: Sequence[list[float] | None],
    given: Sequence[Given],
) -> None:
    rows = await store.BEFORE.all(conn, tenant=tenant, rater=rater, tasks=list(tasks))
    before = {row.task: row for row in rows}
    for n, task in enumerate(tasks):
        row = before[task]
        was = (row.label, _as_stored(row.probabilities), _as_stored(row.confidence))
        if was != (texts[n], _as_stored(shares[n]), _as_stored(given[n].confidence)):
            raise conflict(
                "opinion-differs",
                "This version of the model said something else of this task before, and what was said stays.",
                remedy="Give what says something else a model_version of its own; nothing of this request was kept.",
                place=f"/opinions/{n}",
                task=str(task),
            )


async def opinions(
    conn: Conn,
    tenant: UUID,
    project: UUID,
    *,
    model: str | None,
    version: str | None,
    task: UUID | None,
    after: UUID | None,
    limit: int,
) -> list[Opinion]:
    """What was said, oldest first; of one model, one version of it, or about one task. Raises Problem(NOT_FOUND)."""
    _, ontology = await tasks_service.project_and_ontology(conn, tenant, project)
    if version is not None and model is None:
        raise invalid("model-missing", "A version is one of a model.", place="?model", remedy="Name the model too.")
    asked: dict[str, Any] = {"tenant": tenant, "project": project, "after": after or ids.FIRST, "limit": limit}
    if task is not None:
        rows = await store.OPINIONS_OF_TASK.all(conn, **asked, task=task)
        rows = [row for row in rows if model in (None, row.model) and version in (None, row.model_version)]
    elif model is not None and version is not None:
        rows = await store.OPINIONS_OF_RATER.all(conn, **asked, rater=rater_of(tenant, model, version))
    elif model is not None:
        rows = await store.OPINIONS_OF_MODEL.all(conn, **asked, model=model)
    else:
        rows = await store.OPINIONS.all(conn, **asked)
    names = [spec.name for spec in ontology.classes]
    return [
        Opinion(
            row.id,
            row.task,
            row.ref,
            row.model,
            row.model_version,
            msgspec.json.decode(row.label),
            None if row.probabilities is None else dict(zip(names, row.probabilities, strict=False)),
            row.confidence,
            row.at,
        )
        for row in rows
    ]


async def models(conn: Conn, tenant: UUID, project: UUID, after: UUID | None, limit: int) -> list[HeardModel]:
    """The versions of models that spoke in a project, and how far each is heard. Raises Problem(NOT_FOUND)."""
    await tasks_service.project_and_ontology(conn, tenant, project)
    kept = await quality_store.MODEL.maybe(conn, tenant=tenant, project=project)
    known = {rater.id: rater for rater in reliability.thaw(kept.raters if kept else None)}
    out = []
    for row in await store.RATERS.all(conn, tenant=tenant, project=project, after=after or ids.FIRST, limit=limit):
        one = known.get(row.rater)
        if one is None:
            out.append(HeardModel(row.rater, row.model, row.model_version, False, 0, 0, None, None, None))
        else:
            figures = [round(p, 4) for p in (one.accuracy, one.low, one.chance)]
            out.append(
                HeardModel(row.rater, row.model, row.model_version, one.heard, one.compared, one.golds, *figures)
            )
    return out


# ---------------------------------------------------------------- what decisions hear
async def said_of(
    conn: Conn, tenant: UUID, tasks: Sequence[UUID], raters: Sequence[Rater], *, read_labels: bool
) -> list[Said]:
    """What the raters that are heard said of these tasks: of each the best one's alone."""
    if not raters or not tasks:
        return []
    read = store.HEARD if read_labels else store.CODED_HEARD
    place = {rater.id: n for n, rater in enumerate(raters)}
    best: dict[UUID, store.SaidRow] = {}
    for row in await read.all(conn, tenant=tenant, tasks=list(tasks), raters=list(place)):
        if row.task not in best or place[row.rater] < place[best[row.task].rater]:
            best[row.task] = row
    return [Said(row.id, row.task, row.rater, row.code, row.label) for row in best.values()]


def with_opinions(
    rulings: Sequence[Ruling], said: Sequence[Said], raters: Sequence[Rater], ontology: Ontology, plan: Plan, use: str
) -> list[Ruling]:
    """Rulings once the opinions are heard. use: what the project's plan says of them."""
    by_id = {rater.id: rater for rater in raters}
    by_task = {one.task: one for one in said}
    return [
        reliability.heard(by_id[one.rater], ruling, one, ontology, plan, counted=use == "counted")
        if (one := by_task.get(ruling.task)) is not None
        else ruling
        for ruling in rulings
    ]


# ---------------------------------------------------------------- what fits compare
async def any_given(conn: Conn, tenant: UUID, project: UUID) -> bool:
    """Whether a model has said anything of the project's tasks."""
    return await store.ANY_GIVEN.one(conn, tenant=tenant, project=project)


async def comparable(
    conn: Conn, tenant: UUID, project: UUID, *, read_labels: bool
) -> tuple[list[Said], list[store.TruthRow]]:
    """What models said of the tasks that were judged last, and what is known to be true of those."""
    if not await any_given(conn, tenant, project):
        return [], []
    asked = {"tenant": tenant, "project": project, "judgements": FROM_JUDGEMENTS, "limit": MOST_COMPARED}
    if read_labels:
        rows = await store.COMPARED.all(conn, **asked, max_bytes=limits.MAX_FIT_BYTES)
    else:
        rows = await store.CODED_COMPARED.all(conn, **asked)
    said = [Said(row.id, row.task, row.rater, row.code, row.label) for row in rows]
    tasks = list({one.task for one in said})
    return said, await store.TRUTHS.all(conn, tenant=tenant, tasks=tasks)


def fitted(
    said: Sequence[Said],
    truths: Sequence[store.TruthRow],
    votes: Sequence[Vote],
    strategy: AnyStrategy,
    model: Model,
    ontology: Ontology,
    plan: Plan,
) -> list[Rater]:
    """How far each rater is to be heard beside a model of the crowd.

    Everybody judges every gold, while decisions rest on a few votes: a task whose truth is known is looked at through
    a few, drawn from a seed that the data give.
    """
    if not said:
        return []
    true = {row.task: row for row in truths}
    mine: dict[UUID, list[Vote]] = {}
    for vote in votes:
        mine.setdefault(vote.task, []).append(vote)
    rng = np.random.default_rng(len(said))
    few: list[Vote] = []
    tasks = sorted(mine)
    for task in tasks:
        heard = mine[task]
        if task in true:
            most = min(int(rng.integers(1, plan.max_votes + 1)), len(heard))
            heard = [heard[n] for n in sorted(rng.permutation(len(heard))[:most])]
        few += heard
    rulings = {ruling.task: ruling for ruling in strategy.decide(model, ontology, tasks, few, plan)}
    rows = []
    for one in said:
        ruling, row = rulings.get(one.task), true.get(one.task)
        if ruling is None:
            continue
        by_code = row is not None and row.code is not None and one.code is not None
        rows.append(
            Looked(
                one,
                ruling,
                row.code if row is not None and by_code else None,
                row.label if row is not None and not by_code else None,
            )
        )
    return reliability.fitted(rows, ontology)


async def named(conn: Conn, tenant: UUID, opinions: Sequence[UUID]) -> list[store.NamedRow]:
    """Opinions by their identifiers, with the names of their models."""
    return await store.BY_ID.all(conn, tenant=tenant, ids=list(opinions)) if opinions else []
