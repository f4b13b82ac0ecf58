"""The evidence of a release as files: what `verifying.verify` computes everything again from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from uuid import UUID

import msgspec

from cupola.labels import encode_ontology
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime, short_name
from cupola.platform.zipping import zip_stream
from cupola.releases import model, store
from cupola.tasks import service as tasks_service

ROWS_AT_ONCE = 500  # rows whose judgements are held, each row with some


async def bundle(run: Runtime, tenant: UUID, row: store.ReleaseRow) -> AsyncIterator[bytes]:
    """The evidence as a zip, streamed at constant memory; manifest.json holds the SHA-256 of every file.

    Frozen rows never change, so they are read in pages: whoever downloads slowly holds no connection.
    """
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        _, ontology = await tasks_service.project_and_ontology(conn, tenant, row.project)
        heard = await store.OPINIONS_HEARD.one(conn, tenant=tenant, release=row.id)
    hashes: dict[str, str] = {}

    async def rows() -> AsyncIterator[bytes]:
        async for batch in store.ROWS_AFTER.pages(
            run.db, Role.APP, tenant, place=lambda o: {"position": o.position}, position=-1, release=row.id
        ):
            yield b"".join(
                model.row_line(o.position, o.task, o.ref, o.label, o.confidence, o.how, o.settlement) for o in batch
            )

    async def judgements() -> AsyncIterator[bytes]:
        async for batch in store.USED_JUDGEMENTS_OF.spans(
            run.db, Role.APP, tenant, row.items, each=ROWS_AT_ONCE, release=row.id
        ):
            yield b"".join(
                msgspec.json.encode(
                    {
                        "judgement": o.id,
                        "task": o.task,
                        "worker": short_name(o.worker),
                        "label": msgspec.Raw(o.label.encode()),
                        "seconds": round(o.seconds, 2),
                        **({"stage": o.stage, "about": o.about} if o.stage else {}),
                        **({"rejected": o.rejected} if o.rejected else {}),
                        "at": o.at,
                    }
                )
                + b"\n"
                for o in batch
            )

    async def opinions() -> AsyncIterator[bytes]:
        async for batch in store.USED_OPINIONS_OF.spans(
            run.db, Role.APP, tenant, row.items, each=ROWS_AT_ONCE, release=row.id
        ):
            yield b"".join(
                msgspec.json.encode(
                    {
                        "opinion": o.id,
                        "task": o.task,
                        "model": o.model,
                        "model_version": o.model_version,
                        "label": msgspec.Raw(o.label.encode()),
                        "at": o.at,
                    }
                )
                + b"\n"
                for o in batch
            )

    async def audit() -> AsyncIterator[bytes]:
        async for batch in store.SAID_OF.spans(run.db, Role.APP, tenant, row.drawn, each=ROWS_AT_ONCE, release=row.id):
            yield b"".join(
                msgspec.json.encode(
                    {
                        "draw": o.draw,
                        "task": o.task,
                        "ref": o.ref,
                        "round": o.round,
                        "auditor": _auditor(tenant, o.person) if o.person else None,
                        "released": msgspec.Raw(o.label.encode()),
                        "audited": msgspec.Raw(o.said.encode()) if o.said else None,
                        "undecidable": o.undecidable,
                        **({} if o.wrong_units is None else {"wrong": o.wrong_units, "missing": o.missing_units}),
                        "at": o.at,
                    }
                )
                + b"\n"
                for o in batch
            )

    async def one(data: bytes) -> AsyncIterator[bytes]:
        yield data

    async def hashed(name: str, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        digest = hashlib.sha256()
        async for part in parts:
            digest.update(part)
            yield part
        hashes[name] = digest.hexdigest()

    async def members() -> AsyncIterator[tuple[str, AsyncIterator[bytes]]]:
        yield "plan.json", hashed("plan.json", one(row.plan.encode()))
        yield "ontology.json", hashed("ontology.json", one(encode_ontology(ontology)))
        yield "rows.jsonl", hashed("rows.jsonl", rows())
        yield "judgements.jsonl", hashed("judgements.jsonl", judgements())
        if heard:
            yield "opinions.jsonl", hashed("opinions.jsonl", opinions())
        yield "audit.jsonl", hashed("audit.jsonl", audit())
        if row.certificate is not None:
            yield "certificate.json", hashed("certificate.json", one(row.certificate.encode()))
        manifest = {"format": "cupola.evidence/1", "release": row.name, "sha256": hashes}
        yield "manifest.json", one(json.dumps(manifest, indent=1, sort_keys=True).encode())

    async for part in zip_stream(members()):
        yield part


def _auditor(tenant: UUID, person: UUID) -> str:
    """A name that tells one auditor of a tenant from another and says nothing more."""
    return f"a-{hashlib.sha256(f'{tenant}/{person}'.encode()).hexdigest()[:8]}"
