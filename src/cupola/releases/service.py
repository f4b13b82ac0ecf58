"""The verbs of releases: freeze, draw, judge, certify.

The order is what makes the certificate mean something: the plan is declared and the seed committed, then the rows are
frozen and hashed, and only then is the seed used to draw. Nobody can choose rows after seeing the draw.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from cupola.kernel import clock, ids
from cupola.kernel.errors import conflict, invalid, not_found
from cupola.labels import decode_label, encode, encode_ontology, label_from, same, validate
from cupola.platform import events
from cupola.platform.pg.tx import Conn
from cupola.platform.runtime import Runtime
from cupola.quality import certify
from cupola.quality.certify.document import Outcome
from cupola.releases import model, store
from cupola.releases.model import AuditAsked, AuditState, CertificateView, Release
from cupola.tasks import service as tasks_service
from cupola.tasks.model import ItemView


async def create(conn: Conn, tenant: UUID, project: UUID, name: str, licence: str, asked: AuditAsked) -> Release:
    """Freeze everything settled, declare the audit and draw it.

    Raises Problem: NOT_FOUND; CONFLICT when nothing is settled or the name is taken; INVALID for a plan out of range.
    """
    _check(asked)
    row, _ = await tasks_service.project_and_ontology(conn, tenant, project)
    release = ids.uuid7()
    seed = ids.token(32)
    commitment = hashlib.sha256(seed.encode()).digest()
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
    await events.emit(conn, tenant, "release.declared", release, project, plan_sha256=plan_sha256.hex())
    items = await store.FREEZE.run(conn, tenant=tenant, release=release, project=project)
    if items == 0:
        raise conflict(
            "nothing-settled",
            f"The project {row.name!r} has no settled tasks yet.",
            remedy="Wait until tasks settle; adjudicate the doubtful ones.",
        )
    digest = hashlib.sha256()
    tasks: list[str] = []
    async for rows in store.ROWS.stream(conn, tenant=tenant, release=release):
        for one in rows:
            digest.update(
                model.row_line(one.position, one.task, one.ref, one.label, one.confidence, one.how, one.settlement)
            )
            tasks.append(str(one.task))
    # only now does the seed leave this function
    drawn = certify.draw(sorted(tasks), min(asked.items, items), seed)
    await store.FROZEN.run(
        conn,
        tenant=tenant,
        id=release,
        items=items,
        rows_sha256=digest.digest(),
        seed=seed.encode(),
        state="auditing" if drawn else "frozen",
    )
    if drawn:
        await store.DRAWN_ADD.run(
            conn,
            tenant=tenant,
            release=release,
            ids=[ids.uuid7() for _ in drawn],
            draws=list(range(len(drawn))),
            tasks=[UUID(task) for task in drawn],
        )
    await events.emit(
        conn, tenant, "release.frozen", release, project, items=items, drawn=len(drawn), rows_sha256=digest.hexdigest()
    )
    return await view(conn, tenant, release)


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
        row.state,  # type: ignore[arg-type]  # the table's check keeps it to the four words
        row.licence,
        row.items,
        row.rows_sha256.hex(),
        row.plan_sha256.hex(),
        row.seed_commitment.hex(),
        row.seed.decode() if row.seed else None,
        AuditState(row.drawn, row.judged, row.errors, row.undecidable, row.auditors),
        certificate,
        row.created_at,
        row.certified_at,
    )


# ---------------------------------------------------------------- the audit, blind
async def next_items(
    conn: Conn, run: Runtime, tenant: UUID, release: UUID, limit: int, person: UUID | None, bound_to: str
) -> list[tuple[store.AuditItemRow, ItemView]]:
    """The next drawn items that wait for this person, without label, confidence or judgements.

    Raises Problem(NOT_FOUND).
    """
    await view(conn, tenant, release)
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
) -> Release:
    """One blind judgement of a drawn item; the first one of a round stands.

    Raises Problem: CONFLICT when an audit by two is judged with a key, or twice by one person.
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
    if label is not None:
        _, ontology = await tasks_service.project_and_ontology(conn, tenant, frozen.project)
        one = await store.ROW.one(conn, tenant=tenant, release=release, position=row.position)
        said = label_from(label)
        validate(said, ontology, width_px=one.width_px, height_px=one.height_px)
        text = encode(said).decode()
        correct = same(said, decode_label(row.label), ontology)
    await store.JUDGE.run(
        conn,
        tenant=tenant,
        id=ids.uuid7(),
        audit_item=audit_item,
        round=row.judged + 1,
        person=person,
        label=text,
        undecidable=undecidable,
        correct=correct,
        seconds=seconds,
        now=clock.now(),
    )
    return await view(conn, tenant, release)


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
    labels: dict[str, Any] = {}
    async for rows in store.ROWS.stream(conn, tenant=tenant, release=release):
        labels.update((str(one.task), msgspec.json.decode(one.label)) for one in rows)
    plan = msgspec.json.decode(row.plan)
    assert row.seed is not None
    findings = [
        certify.Finding(str(task), outcomes[-1], *(outcomes[:2] if row.auditors > 1 else ()))
        for task, outcomes in _outcomes(await store.SAID.all(conn, tenant=tenant, release=release)).items()
    ]
    document = certify.build(
        labels,
        findings,
        certify.AuditPlan(
            "fixed",
            plan["items"],
            round(1.0 - plan["target_accuracy"], 12),
            plan["confidence"],
            row.seed.decode(),
            "the label is not the same, by the kind's own comparison, as the one a blind adjudicator gives",
        ),
        release=row.name,
        made_at=clock.now().isoformat(),
    )
    document["evidence"] = {
        "ontology_sha256": hashlib.sha256(encode_ontology(ontology)).hexdigest(),
        "plan_sha256": row.plan_sha256.hex(),
        "rows_sha256": row.rows_sha256.hex(),
        "seed_commitment_sha256": row.seed_commitment.hex(),
        "protocol": plan["protocol"],
    }
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


def _outcomes(said: Sequence[store.SaidRow]) -> dict[UUID, list[Outcome]]:
    """What the auditors of each drawn item made of it, in the order of the draw and of their rounds."""
    out: dict[UUID, list[Outcome]] = {}
    for one in said:
        out.setdefault(one.task, []).append("undecidable" if one.undecidable else "right" if one.correct else "wrong")
    return out
