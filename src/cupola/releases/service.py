"""The verbs of releases: freeze, draw, judge, certify.

The order is what makes the certificate mean something: the plan is declared and the seed committed, in a transaction of
its own that anybody who listens has heard of; then the rows are frozen and hashed, and only then is the seed used to
draw. Nobody can choose rows after seeing the draw, and whoever audits the same rows again is told to have done so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from cupola.catalog.showing import ItemView
from cupola.kernel import clock, ids
from cupola.kernel.errors import Problem, conflict, invalid, not_found
from cupola.labels import (
    Ontology,
    apart,
    decode_label,
    encode,
    encode_ontology,
    is_one,
    label_from,
    same,
    unit_kind,
    units,
    validate,
)
from cupola.platform import events
from cupola.platform.pg.tx import Conn
from cupola.platform.runtime import Runtime
from cupola.quality import certify
from cupola.quality.certify import Outcome
from cupola.releases import freezing, model, store
from cupola.releases.model import AuditAsked, AuditState, CertificateView, FreezingState, Release
from cupola.tasks import service as tasks_service
from cupola.tasks.handing_in import service as handing_in


async def declare(
    conn: Conn, run: Runtime, tenant: UUID, project: UUID, name: str, licence: str, asked: AuditAsked
) -> Release:
    """Declare a release's audit and commit to its seed, before any row is frozen; the event publishes both.

    Raises Problem: NOT_FOUND; CONFLICT when the name is taken, and where nothing is settled yet: a name and an attempt
    would be spent on it; INVALID for a plan out of range.
    """
    _check(asked)
    await tasks_service.project_and_ontology(conn, tenant, project)
    if await store.SETTLED.one(conn, tenant=tenant, project=project) == 0:
        raise freezing.nothing_settled()
    release = ids.uuid7()
    commitment = hashlib.sha256(freezing.seed_of(run, tenant, release).encode()).digest()
    plan = model.canonical(
        {
            "auditors": asked.auditors,
            "confidence": asked.confidence,
            "declared_at": clock.now().isoformat(),
            "items": asked.items,
            "kind": "fixed",
            "project": str(project),
            "protocol": model.PROTOCOL if asked.auditors == 1 else model.PROTOCOL_OF_TWO,
            "release": name,
            "seed_commitment_sha256": commitment.hex(),
            "target_accuracy": asked.target_accuracy,
        }
    )
    plan_sha256 = hashlib.sha256(plan).digest()
    try:
        await store.ADD.run(
            conn,
            tenant=tenant,
            id=release,
            project=project,
            name=name,
            licence=licence,
            plan=plan.decode(),
            plan_sha256=plan_sha256,
            rows_sha256=b"",
            seed_commitment=commitment,
            auditors=asked.auditors,
            now=clock.now(),
        )
    except psycopg.errors.UniqueViolation as error:
        raise conflict(
            "name-taken", f"The project has a release named {name!r}.", remedy="Choose another name."
        ) from error
    await events.emit(
        conn,
        tenant,
        "release.declared",
        release,
        project,
        plan_sha256=plan_sha256.hex(),
        seed_commitment_sha256=commitment.hex(),
    )
    return await view(conn, tenant, release)


async def freeze(conn: Conn, run: Runtime, tenant: UUID, release: UUID) -> Release:
    """Freeze everything settled and draw the audit that was declared in an earlier transaction.

    A large release is `freezing` from here on, and frozen by a job. One that is freezing or frozen stays as it is.
    Raises Problem: NOT_FOUND; CONFLICT when nothing is settled.
    """
    state = await store.LOCK.maybe(conn, tenant=tenant, id=release)
    row = await store.RELEASE.maybe(conn, tenant=tenant, id=release)
    if state is None or row is None:
        raise not_found("release")
    if state != "declared":
        return shown(row)
    await freezing.begin(conn, run, tenant, row)
    return await view(conn, tenant, release)


async def view_frozen(conn: Conn, tenant: UUID, release: UUID) -> Release:
    """A release whose rows stand. Raises Problem: NOT_FOUND; CONFLICT while it is declared or freezing."""
    found = await view(conn, tenant, release)
    if found.frozen_at is None:
        raise conflict(
            "release-unfrozen",
            f"This release is {found.state}: its rows do not stand yet.",
            remedy="Freeze it first." if found.state == "declared" else "Wait until it is frozen.",
        )
    return found


def _check(asked: AuditAsked) -> None:
    if not 0 <= asked.items <= 1_000_000:
        raise invalid("audit-items", "An audit draws between 0 and 1,000,000 items.", place="/plan/items")
    if not 0.5 <= asked.confidence <= 0.9999:
        raise invalid("audit-confidence", "The confidence lies between 0.5 and 0.9999.", place="/plan/confidence")
    if not 0.5 <= asked.target_accuracy <= 0.9999:
        raise invalid("audit-target", "The target lies between 0.5 and 0.9999.", place="/plan/target_accuracy")


async def view(conn: Conn, tenant: UUID, release: UUID) -> Release:
    row = await store.RELEASE.maybe(conn, tenant=tenant, id=release)
    if row is None:
        raise not_found("release")
    return shown(row)


def shown(row: store.ReleaseRow) -> Release:
    certificate = None
    if row.certificate is not None:
        document = msgspec.json.decode(row.certificate)
        result, plan = document["result"], document["plan"]
        certificate = CertificateView(
            result["accuracy_lower"],
            plan["confidence"],
            result["audited"] - result["undecidable"],
            result["errors"],
            result["undecidable"],
            round(1.0 - plan["limit"], 12),
            result["reached"],
            document["statement"],
            result["double_judged"],
            result["disagreements"],
        )
    return Release(
        row.id,
        row.project,
        row.name,
        row.state,
        row.licence,
        row.items,
        row.rows_sha256.hex(),
        row.plan_sha256.hex(),
        row.seed_commitment.hex(),
        row.seed.decode() if row.seed else None,
        AuditState(
            row.drawn,
            row.judged,
            row.errors if row.judged == row.drawn else None,
            row.undecidable if row.judged == row.drawn else None,
            row.auditors,
        ),
        certificate,
        row.created_at,
        row.frozen_at,
        row.certified_at,
        FreezingState(row.freezing_rows, row.freezing_of or 0) if row.state == "freezing" else None,
        row.trouble,
    )


# ---------------------------------------------------------------- the audit, blind
async def next_items(
    conn: Conn, run: Runtime, tenant: UUID, release: UUID, limit: int, person: UUID | None, bound_to: str
) -> list[tuple[store.AuditItemRow, ItemView]]:
    """The next drawn items that wait for this person, without label, confidence or judgements.

    Raises Problem: NOT_FOUND; CONFLICT for a person who has read its labels.
    """
    await view(conn, tenant, release)
    if await store.HAS_READ.one(conn, tenant=tenant, release=release, person=person):
        raise has_read()
    found = []
    for row in await store.NEXT.all(conn, tenant=tenant, release=release, limit=limit, person=person):
        item = await tasks_service.task_item(conn, run, tenant, row.task, bound_to)
        found.append((row, item))
    return found


async def judge(
    conn: Conn,
    tenant: UUID,
    release: UUID,
    audit_item: UUID,
    person: UUID | None,
    label: Any | None,
    undecidable: bool,
    seconds: float,
    key: UUID | None = None,
) -> Release:
    """One blind judgement of a drawn item, by a person or with a key; the first one of a round stands.

    Raises Problem: CONFLICT when an audit by two is judged with a key, or twice by one person, or by one who has read.
    """
    if undecidable == (label is not None):
        raise invalid("verdict-missing", "Give either a label or undecidable: true.", place="/label")
    row = await store.ITEM.maybe(conn, tenant=tenant, release=release, id=audit_item)
    if row is None:
        raise not_found("audit item")
    frozen = await store.RELEASE.maybe(conn, tenant=tenant, id=release)
    assert frozen is not None
    if row.settled:
        return shown(frozen)
    if person is not None:
        await store.AUDIT_SIDE.run(conn, release=release, person=person)
        if await store.HAS_READ.one(conn, tenant=tenant, release=release, person=person):
            raise has_read()
    if frozen.auditors > 1:
        if person is None:
            raise conflict(
                "auditor-unknown",
                "Two people audit this release, and a key is nobody.",
                remedy="Sign in to judge it.",
            )
        if person in row.people:
            raise conflict(
                "judged-already",
                "You have judged this item; somebody else's answer is wanted now.",
                remedy="Go on with the next item.",
            )
    text: str | None = None
    correct: bool | None = None
    wrong: list[str] | None = None
    missing: int | None = None
    made_of: int | None = None
    if label is not None:
        _, ontology = await tasks_service.project_and_ontology(conn, tenant, frozen.project)
        said = label_from(label)
        validate(said, ontology, await tasks_service.facts_of(conn, tenant, row.task))
        await handing_in.check_for_task(conn, tenant, row.task, said)
        text = encode(said).decode()
        released = decode_label(row.label)
        correct = same(said, released, ontology)
        if not is_one(ontology):
            wrong, lacking = apart(released, said, ontology)
            missing, made_of = len(lacking), len(units(released, ontology))
    await store.JUDGE.run(
        conn,
        tenant=tenant,
        id=ids.uuid7(),
        audit_item=audit_item,
        round=row.judged + 1,
        person=person,
        key=key,
        label=text,
        undecidable=undecidable,
        correct=correct,
        wrong_units=wrong,
        missing_units=missing,
        released_units=made_of,
        seconds=seconds,
        now=clock.now(),
    )
    return await view(conn, tenant, release)


def has_read() -> Problem:
    return conflict(
        "audit-read",
        "You have read labels of this release since its audit began, so you judge none of it.",
        remedy="Let somebody else audit it: somebody who has opened none of its exports and no answers to its orders.",
    )


async def opened(conn: Conn, release: UUID, reader: UUID | None) -> None:
    """Somebody opens the labels of a release, in person or with a key, and judges none of the audits that drew from it.

    Raises Problem (CONFLICT) for whoever audits it already.
    """
    if not await store.OPENED.one(conn, release=release, reader=reader):
        raise conflict(
            "audit-open",
            "You audit labels of this release; its labels are yours to read once that audit is finished.",
            remedy="Judge what is left under Audits, then ask again.",
        )


async def certify_release(conn: Conn, run: Runtime, tenant: UUID, release: UUID) -> Release:
    """Compute the certificate from the finished audit, sign it and keep it.

    Certifying again answers with the certificate that stands. Raises Problem(CONFLICT) while items wait for judgement.
    """
    state = await store.LOCK.maybe(conn, tenant=tenant, id=release)
    if state is None:
        raise not_found("release")
    row = await store.RELEASE.maybe(conn, tenant=tenant, id=release)
    assert row is not None
    if row.certificate is not None:
        return shown(row)
    if row.judged < row.drawn or row.drawn == 0:
        raise conflict(
            "audit-unfinished",
            f"{row.drawn - row.judged} of {row.drawn} drawn items have no verdict yet."
            if row.drawn
            else "The plan of this release drew nothing, so there is nothing to certify from.",
            remedy="Judge them under Audits (the adjudicator's page), then certify."
            + (" Each needs two people, and a third where they differ." if row.auditors > 1 else "")
            if row.drawn
            else "Make a further release whose plan draws items.",
        )
    _, ontology = await tasks_service.project_and_ontology(conn, tenant, row.project)
    plan = msgspec.json.decode(row.plan)
    assert row.seed is not None
    said = await store.OUTCOMES_OF.all(conn, tenant=tenant, release=release, since=0, until=row.drawn, limit=row.drawn)
    findings = [
        certify.Finding(str(task), outcomes[-1], *(outcomes[:2] if row.auditors > 1 else ()))
        for task, outcomes in _outcomes(said).items()
    ]
    earlier = None if row.earlier is None else msgspec.json.decode(row.earlier)
    declared = certify.AuditPlan(
        "fixed",
        plan["items"],
        round(1.0 - plan["target_accuracy"], 12),
        plan["confidence"],
        row.seed.decode(),
        certify.DEFINITION_BY_KIND,
        None if earlier is None else certify.attempt_of(row.items, earlier),
    )
    frozen = await _frozen(conn, tenant, row, declared, [finding.item for finding in findings])
    document = certify.build_frozen(
        frozen, findings, declared, release=row.name, earlier=earlier, made_at=clock.now().isoformat()
    )
    document["evidence"] = {
        "ontology_sha256": hashlib.sha256(encode_ontology(ontology)).hexdigest(),
        "plan_sha256": row.plan_sha256.hex(),
        "rows_sha256": row.rows_sha256.hex(),
        "seed_commitment_sha256": row.seed_commitment.hex(),
        "protocol": plan["protocol"],
    }
    counted = _parts_audited(said, ontology)
    if counted is not None:
        document["evidence"]["parts"] = counted
    signed = certify.sign(document, run.settings.derive("certificate signature"))
    reached = bool(signed["result"]["reached"])
    await store.CERTIFY.run(
        conn,
        tenant=tenant,
        id=release,
        state="certified" if reached else "failed",
        certificate=model.canonical(signed).decode(),
        now=clock.now(),
    )
    await events.emit(
        conn,
        tenant,
        "release.certified" if reached else "release.not-certified",
        release,
        row.project,
        accuracy_lower_bound=signed["result"]["accuracy_lower"],
    )
    return await view(conn, tenant, release)


async def _frozen(
    conn: Conn, tenant: UUID, row: store.ReleaseRow, plan: certify.AuditPlan, drawn: list[str]
) -> certify.Frozen:
    """The frozen rows as the certificate says them: from their hashes, or read once more where none were kept."""
    if row.ids_sha256 is not None and row.labels_sha256 is not None:
        return certify.Frozen(row.items, row.ids_sha256.hex(), row.labels_sha256.hex(), drawn)
    labels = store.LABELS_AFTER.within(conn, tenant, lambda o: {"task": o.task}, task=ids.FIRST, release=row.id)
    return await freezing.frozen(certify.Freezing(plan.seed, plan.n), labels)


def _parts_audited(said: Sequence[store.OutcomeRow], ontology: Ontology) -> dict[str, Any] | None:
    """The units of the audited labels by the last word on each; None where labels are one unit, or none was named."""
    last = {one.task: one for one in said}
    counts = [
        (one.released_units, one.wrong_units, one.missing_units or 0)
        for one in last.values()
        if one.released_units is not None and one.wrong_units is not None
    ]
    return model.parts_audited(unit_kind(ontology), counts) if counts else None


def _outcomes(said: Sequence[store.OutcomeRow]) -> dict[UUID, list[Outcome]]:
    """What the auditors of each drawn item made of it, in the order of the draw and of their rounds."""
    out: dict[UUID, list[Outcome]] = {}
    for one in said:
        out.setdefault(one.task, []).append("undecidable" if one.undecidable else "right" if one.correct else "wrong")
    return out
