"""Runs, as a worker does them: read what was settled, fit, keep the version, say what it thinks of every task.

A run may be begun again at any moment, by another process, after a kill or while one that lost its lease is still at
it: each step is one transaction under the run's lock and its attempt's number, so that whoever began it last goes on
where the step before ended, and everybody else stops.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import logging
import platform
from dataclasses import dataclass
from importlib import metadata
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from cupola import __version__
from cupola.kernel import clock, ids
from cupola.kernel.errors import Kind, Problem, conflict, invalid, unforeseen
from cupola.models import caged, reading, service, store
from cupola.models.card import Card, Features, read_card
from cupola.models.features import Matrix, features_of, guessed, lacks, stacked
from cupola.models.model import measured
from cupola.platform import events
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime
from cupola.quality.opinions import service as opinions
from cupola.quality.opinions.model import Given
from cupola.tasks import service as tasks_service

log = logging.getLogger("cupola.models")

MAX_LABELS = 20_000  # the newest, of what was settled
PAGE = 500
WATCH_S = 0.5  # how soon a fit under way hears that it was cancelled
LEAST_SHARE = 1e-4  # probabilities below are said as nothing: an opinion is one row
LOOKED_AT = 200  # items by which features are chosen
DONE = "learning.done"


class _Elsewhere(Exception):
    """Another process has gone on with the run, or it was cancelled."""


async def run_learning(run: Runtime, tenant: UUID, subject: UUID) -> None:
    """Do a run to its end. Raises Problem (UNAVAILABLE) when something of ours is away: then once more, later."""
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        row = await store.RUN_LOCK.maybe(conn, tenant=tenant, id=subject)
        if row is None or row.state not in ("waiting", "running"):
            return
        await store.RUN_BEGIN.run(conn, tenant=tenant, id=subject, now=clock.now())
        row = await store.RUN.one(conn, tenant=tenant, id=subject)
    work = _Work(run, tenant, row)
    try:
        await work.go()
    except _Elsewhere:
        return
    except Problem as problem:
        if problem.kind is Kind.UNAVAILABLE:
            raise
        await fail(run, tenant, subject, " ".join(part for part in (problem.detail, problem.remedy) if part))
    except Exception as trouble:
        log.exception("the run %s failed", subject)
        await fail(run, tenant, subject, unforeseen(trouble))


async def fail(run: Runtime, tenant: UUID, subject: UUID, said: str) -> None:
    """Write down that a run failed, and why."""
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        row = await store.RUN_LOCK.maybe(conn, tenant=tenant, id=subject)
        if row is not None and await store.RUN_FAILED.run(conn, tenant=tenant, id=subject, error=said, now=clock.now()):
            await events.emit(conn, tenant, "learning.failed", subject, row.project)


@dataclass(frozen=True, slots=True)
class _Settled:
    """tasks and codes (n,) of what a fit learns from, ordered by task."""

    tasks: list[UUID]
    codes: NDArray[np.int32]

    @property
    def sha256(self) -> bytes:
        digest = hashlib.sha256()
        for task, code in zip(self.tasks, self.codes, strict=True):
            digest.update(task.bytes + int(code).to_bytes(4, "big"))
        return digest.digest()


class _Work:
    def __init__(self, run: Runtime, tenant: UUID, row: store.RunRow) -> None:
        self._run, self._tenant, self._row = run, tenant, row
        self._mine = {"tenant": tenant, "id": row.id, "attempt": row.attempt}

    async def go(self) -> None:
        async with self._run.db.tx(Role.APP, tenant=self._tenant) as conn:
            _, ontology = await tasks_service.project_and_ontology(conn, self._tenant, self._row.project)
        self._names = service.able(ontology)
        if self._row.version is None:
            await self._fit()
        await self._say()

    # ------------------------------------------------------------ fitting
    async def _fit(self) -> None:
        settled = await self._settled()
        features = await self._features(settled)
        rows, left = await self._read(settled.tasks, features)
        there = np.array([task not in left for task in settled.tasks], dtype=np.bool_)
        kept = _Settled([task for task in settled.tasks if task not in left], settled.codes[there])
        await self._hold(lambda conn: store.RUN_STEP.run(conn, **self._mine, step="fitting", cpu_s=0.0))
        made = await self._fitted(rows, kept, counts=features.provider == "text-ngrams")
        card = Card(
            self._names,
            features,
            about=f"Fitted by Cupola {__version__}, seed {self._row.seed}.",
            trained_on=f"{len(kept.tasks)} settled tasks of the project {self._row.project}",
        )
        metrics = measured(made.out_of_fold, kept.codes, self._names)
        metrics |= {"temperature": round(made.temperature, 4), "penalty": made.penalty}
        file = await self._run.blobs.put(self._tenant, made.onnx)
        seen = await self._run.blobs.put(self._tenant, _pack(kept.tasks, made.out_of_fold))

        async def note(conn: Conn) -> int:
            version = await service.add_version(
                conn, self._tenant, self._row.model, card, file.sha256, len(made.onnx), made_by=self._row.id
            )
            return await store.RUN_FITTED.run(
                conn,
                **self._mine,
                version=version,
                labels_sha256=kept.sha256,
                learned_from=len(kept.tasks),
                out_of_fold=bytes.fromhex(seen.sha256),
                metrics=json.dumps(metrics),
                environment=json.dumps(environment()),
                cpu_s=made.cpu_s,
            )

        await self._hold(note)
        async with self._run.db.tx(Role.APP, tenant=self._tenant) as conn:
            self._row = await store.RUN.one(conn, tenant=self._tenant, id=self._row.id)

    async def _settled(self) -> _Settled:
        until = self._row.labels_until
        found: dict[UUID, int] = {}
        after = ids.FIRST
        async with self._run.db.tx(Role.APP, tenant=self._tenant) as conn:
            asked: dict[str, Any] = {"tenant": self._tenant, "project": self._row.project}
            for gold in await store.GOLDS.all(conn, **asked, until=self._row.created_at, limit=MAX_LABELS):
                found[gold.task] = gold.code
            while True:
                rows = await store.SETTLED.all(conn, **asked, after=after, upto=until, limit=MAX_LABELS)
                for row in rows:
                    found.pop(row.task, None)  # what was settled last stands last
                    found[row.task] = row.code
                if len(rows) < MAX_LABELS:
                    break
                after = rows[-1].id
        newest = sorted(list(found.items())[-MAX_LABELS:])
        return _Settled([task for task, _ in newest], np.array([code for _, code in newest], np.int32))

    async def _features(self, settled: _Settled) -> Features:
        if self._row.features:
            return service.features_asked(self._row.features)
        async with self._run.db.tx(Role.APP, tenant=self._tenant) as conn:
            rows = await store.ITEMS.all(conn, tenant=self._tenant, tasks=settled.tasks[:LOOKED_AT])
        return guessed([row.media_type for row in rows], reading.embedding_dims(rows))

    async def _read(self, tasks: list[UUID], features: Features) -> tuple[Matrix, set[UUID]]:
        """The features of tasks, in their order, without those that have nothing to read."""
        parts: list[Matrix] = []
        left: set[UUID] = set()
        for since in range(0, len(tasks), PAGE):
            async with self._run.db.tx(Role.APP, tenant=self._tenant) as conn:
                rows = await store.ITEMS.all(conn, tenant=self._tenant, tasks=tasks[since : since + PAGE])
            part, without = await asyncio.to_thread(self._rows, rows, features)
            left |= without
            if part is not None:
                parts.append(part)
            await self._hold(lambda conn: store.RUN_STEP.run(conn, **self._mine, step="reading", cpu_s=0.0))
        if not parts:
            raise invalid(
                "labels-few",
                "Nothing that a model could learn from is settled yet.",
                remedy="Let people settle more first.",
            )
        return stacked(parts), left

    def _rows(self, rows: list[store.ItemRow], features: Features) -> tuple[Matrix | None, set[UUID]]:
        raw = reading.raw_of(self._run, self._tenant, rows, features)
        without = {row.task for row, one in zip(rows, raw, strict=True) if lacks(features, one)}
        there = [one for row, one in zip(rows, raw, strict=True) if row.task not in without]
        return (features_of(features, there) if there else None), without

    async def _fitted(self, rows: Matrix, settled: _Settled, *, counts: bool) -> caged.Fitted:
        """Fit in a child, which ends when the run was cancelled, or another process goes on with it."""
        child = await asyncio.to_thread(caged.learner)
        fitting = asyncio.create_task(
            asyncio.to_thread(
                caged.fitted, child, rows, settled.codes, len(self._names), seed=self._row.seed, counts=counts
            )
        )
        try:
            while not (await asyncio.wait({fitting}, timeout=WATCH_S))[0]:
                await self._hold(lambda conn: store.RUN_STEP.run(conn, **self._mine, step="fitting", cpu_s=0.0))
            return fitting.result()
        finally:
            child.kill()
            await asyncio.gather(fitting, return_exceptions=True)

    # ------------------------------------------------------------ predicting
    async def _say(self) -> None:
        row = self._row
        assert row.version is not None
        async with self._run.db.tx(Role.APP, tenant=self._tenant) as conn:
            version = await service.version(conn, self._tenant, row.model, row.version)
            total = await store.TASKS.one(conn, tenant=self._tenant, project=row.project)
        await self._hold(lambda conn: store.RUN_TOTAL.run(conn, **self._mine, tasks=total))
        card = read_card(version.card)
        places = caged.classes_in(card, self._names)
        file = await self._run.blobs.get(self._tenant, version.sha256.hex())
        seen: dict[UUID, NDArray[np.float32]] = {}
        if row.out_of_fold is not None:
            seen = _unpack(await self._run.blobs.get(self._tenant, row.out_of_fold.hex()))
        model = await asyncio.to_thread(caged.Running, file, card)
        try:
            after = row.last_rank
            while True:
                async with self._run.db.tx(Role.APP, tenant=self._tenant, by_index=True) as conn:
                    rows = await store.ITEMS_AFTER.all(
                        conn, tenant=self._tenant, project=row.project, after=after, limit=PAGE
                    )
                if not rows:
                    break
                began = clock.monotonic_s()
                given, left = await asyncio.to_thread(self._opinions, model, rows, seen, places)
                await self._keep(rows, given, left, clock.monotonic_s() - began)
                after = rows[-1].rank
        finally:
            model.close()

        async def end(conn: Conn) -> int:
            ended = await store.RUN_DONE.run(conn, **self._mine, now=clock.now())
            await events.emit(conn, self._tenant, DONE, row.id, row.project)
            return ended

        await self._hold(end)

    def _opinions(
        self,
        model: caged.Running,
        rows: list[store.ItemRow],
        seen: dict[UUID, NDArray[np.float32]],
        places: NDArray[np.int64],
    ) -> tuple[list[Given], int]:
        """What the model says of a page of tasks: of those that it was fitted on, what it said without them."""
        fresh = [row for row in rows if row.task not in seen]
        raw = reading.raw_of(self._run, self._tenant, fresh, model.card.features) if fresh else []
        able = [n for n, one in enumerate(raw) if not lacks(model.card.features, one)]
        shares: dict[UUID, NDArray[np.float32]] = {row.task: seen[row.task] for row in rows if row.task in seen}
        if able:
            got = model.predict(features_of(model.card.features, [raw[n] for n in able]))
            shares |= {fresh[n].task: got[place] for place, n in enumerate(able)}
        given = []
        for row in rows:
            if (mine := shares.get(row.task)) is None:
                continue
            wide = np.zeros(len(self._names), np.float64)
            wide[places] = mine
            wide[wide < LEAST_SHARE] = 0.0
            wide /= wide.sum()
            said = {self._names[k]: float(wide[k]) for k in np.flatnonzero(wide)}
            given.append(Given(row.task, None, None, said, float(wide.max())))
        return given, len(rows) - len(given)

    async def _keep(self, rows: list[store.ItemRow], given: list[Given], left: int, cpu_s: float) -> None:
        row = self._row

        async def note(conn: Conn) -> int:
            kept = 0
            if given:
                told = await opinions.give(conn, self._tenant, row.project, row.model_name, str(row.version), given)
                kept = told.created
            return await store.RUN_WENT_ON.run(
                conn,
                **self._mine,
                last_rank=rows[-1].rank,
                tasks=len(rows),
                opinions=kept,
                left_out=left,
                cpu_s=cpu_s,
            )

        await self._hold(note)

    async def _hold(self, work: Any) -> None:
        """Something of this run's in one transaction, under its lock. Raises _Elsewhere where it is ours no more."""
        async with self._run.db.tx(Role.APP, tenant=self._tenant) as conn:
            now = await store.RUN_LOCK.maybe(conn, tenant=self._tenant, id=self._row.id)
            if now is None or now.state != "running" or now.attempt != self._row.attempt:
                raise _Elsewhere
            if not await work(conn):
                raise conflict("run-elsewhere", "Another process has gone on with this run.")


def _pack(tasks: list[UUID], shares: NDArray[np.float32]) -> bytes:
    """Tasks and their probabilities as the bytes of a numpy archive."""
    out = io.BytesIO()
    np.savez(out, tasks=np.frombuffer(b"".join(task.bytes for task in tasks), np.uint8).reshape(-1, 16), shares=shares)
    return out.getvalue()


def _unpack(data: bytes) -> dict[UUID, NDArray[np.float32]]:
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        shares = archive["shares"]
        return {UUID(bytes=row.tobytes()): shares[n] for n, row in enumerate(archive["tasks"])}


def environment() -> dict[str, str]:
    """What a fit is computed with: the same gives the same file."""
    names = ("numpy", "scipy", "scikit-learn", "onnx", "onnxruntime")
    found = {name: metadata.version(name) for name in names}
    return {"cupola": __version__, "python": platform.python_version(), "machine": platform.machine(), **found}
