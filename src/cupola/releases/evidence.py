"""The evidence of a release as files, and `verify`, which computes everything again from the files alone."""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from cupola.kernel.errors import Kind, Problem
from cupola.labels import decode_label, decode_ontology, encode_ontology, same
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime, short_name
from cupola.platform.zipping import zip_stream
from cupola.quality import certify
from cupola.releases import model, store
from cupola.tasks import service as tasks_service

FILES = ("plan.json", "ontology.json", "rows.jsonl", "judgements.jsonl", "audit.jsonl", "certificate.json")


@dataclass(frozen=True, slots=True)
class Verified:
    """What `verify` computed. wrong: what does not hold; empty when all does."""

    statement: str
    accuracy_lower_bound: float | None
    items: int
    audited: int
    errors: int
    checked: list[str]
    wrong: list[str]


async def bundle(run: Runtime, tenant: UUID, row: store.ReleaseRow) -> AsyncIterator[bytes]:
    """The evidence as a zip, streamed at constant memory; manifest.json holds the SHA-256 of every file."""
    async with run.db.tx(Role.APP, tenant=tenant, snapshot=True) as conn:
        _, ontology = await tasks_service.project_and_ontology(conn, tenant, row.project)
        hashes: dict[str, str] = {}

        async def rows() -> AsyncIterator[bytes]:
            async for batch in store.ROWS.stream(conn, tenant=tenant, release=row.id):
                yield b"".join(
                    model.row_line(o.position, o.task, o.ref, o.label, o.confidence, o.how, o.settlement) for o in batch
                )

        async def judgements() -> AsyncIterator[bytes]:
            async for batch in store.USED_JUDGEMENTS.stream(conn, tenant=tenant, release=row.id):
                yield b"".join(
                    msgspec.json.encode(
                        {
                            "judgement": o.id,
                            "task": o.task,
                            "worker": short_name(o.worker),
                            "label": msgspec.Raw(o.label.encode()),
                            "seconds": round(o.seconds, 2),
                            "at": o.at,
                        }
                    )
                    + b"\n"
                    for o in batch
                )

        async def audit() -> AsyncIterator[bytes]:
            for o in await store.SAID.all(conn, tenant=tenant, release=row.id):
                yield (
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
                            "at": o.at,
                        }
                    )
                    + b"\n"
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
            yield "audit.jsonl", hashed("audit.jsonl", audit())
            if row.certificate is not None:
                yield "certificate.json", hashed("certificate.json", one(row.certificate.encode()))
            manifest = {"format": "cupola.evidence/1", "release": row.name, "sha256": hashes}
            yield "manifest.json", one(json.dumps(manifest, indent=1, sort_keys=True).encode())

        async for part in zip_stream(members()):
            yield part


def verify(where: Path, public_key: bytes | None = None) -> Verified:
    """Compute a release's certificate again from its evidence: a folder or the zip. No database, no network.

    public_key: the 32 raw bytes the signer is known by; without it the signature only shows that nothing was changed
    since. Raises Problem when a file is missing.
    """
    files = _open(where)
    wrong: list[str] = []
    checked: list[str] = []
    manifest = json.loads(files("manifest.json"))
    for name, expected in sorted(manifest["sha256"].items()):
        if hashlib.sha256(files(name)).hexdigest() != expected:
            wrong.append(f"{name} is not the file that the manifest names.")
    for name in sorted(set(FILES) - set(manifest["sha256"])):
        wrong.append(f"The manifest does not name {name}.")
    checked.append(f"{len(manifest['sha256'])} files against the manifest")

    plan_bytes = files("plan.json")
    plan = json.loads(plan_bytes)
    certificate = json.loads(files("certificate.json"))
    evidence = certificate.get("evidence", {})
    rows_bytes = files("rows.jsonl")
    for name, value in (
        ("ontology_sha256", hashlib.sha256(files("ontology.json")).hexdigest()),
        ("plan_sha256", hashlib.sha256(plan_bytes).hexdigest()),
        ("rows_sha256", hashlib.sha256(rows_bytes).hexdigest()),
        ("seed_commitment_sha256", hashlib.sha256(certificate["plan"]["seed"].encode()).hexdigest()),
    ):
        if evidence.get(name) != value:
            wrong.append(f"The certificate says {name} {evidence.get(name)}, the files give {value}.")
    if plan.get("seed_commitment_sha256") != evidence.get("seed_commitment_sha256"):
        wrong.append("The seed is not the one that the plan committed to before the draw.")
    for mine, theirs in (("items", "n"), ("confidence", "confidence")):
        if plan.get(mine) != certificate["plan"].get(theirs):
            wrong.append(f"The certificate's plan differs from the declared one in {mine}.")
    if round(1.0 - plan["target_accuracy"], 12) != certificate["plan"]["limit"]:
        wrong.append("The certificate's limit is not the declared target.")
    checked.append("the plan, the seed's commitment and the frozen rows by their hashes")

    labels: dict[str, Any] = {}
    for line in _lines(rows_bytes):
        labels[line["task"]] = line["label"]
    ontology = decode_ontology(files("ontology.json"))
    outcomes: dict[str, list[str]] = {}
    for line in _lines(files("audit.jsonl")):
        if labels.get(line["task"]) != line["released"]:
            wrong.append(f"The audit of {line['task']} was about another label than the released one.")
        if line["undecidable"]:
            outcome = "undecidable"
        else:
            released, said = json.dumps(line["released"]), json.dumps(line["audited"])
            outcome = "right" if same(decode_label(said), decode_label(released), ontology) else "wrong"
        outcomes.setdefault(line["task"], []).append(outcome)
    auditors = plan.get("auditors", 1)
    for task, said_of_it in outcomes.items():
        differ = auditors == 2 and len(said_of_it) > 1 and said_of_it[0] != said_of_it[1]
        if len(said_of_it) != (3 if differ else auditors):
            wrong.append(f"The audit of {task} has {len(said_of_it)} judgements, which its plan does not foresee.")
    found = [
        (task, said_of_it[-1], *(said_of_it[:2] if auditors == 2 else (None, None)))
        for task, said_of_it in outcomes.items()
    ]
    if found != [(f["item"], f["outcome"], f.get("first"), f.get("second")) for f in certificate["findings"]]:
        wrong.append("The findings of the certificate are not what the audit's labels give.")
    checked.append(f"the verdicts on {len(outcomes)} audited items, compared with the released labels again")
    wrong += certify.check(certificate, labels, public_key)
    checked.append("the draw, the counts, the bound and the signature")
    result = certificate["result"]
    return Verified(
        certificate["statement"],
        None if wrong else result["accuracy_lower"],
        len(labels),
        result["audited"],
        result["errors"],
        checked,
        wrong,
    )


def signer(certificate: dict[str, Any]) -> bytes:
    """The public key a certificate carries."""
    return base64.b64decode(certificate["signature"]["public_key"])


def _auditor(tenant: UUID, person: UUID) -> str:
    """A name that tells one auditor of a tenant from another and says nothing more."""
    return f"a-{hashlib.sha256(f'{tenant}/{person}'.encode()).hexdigest()[:8]}"


def _lines(data: bytes) -> Iterator[Any]:
    return (json.loads(line) for line in data.splitlines() if line)


def _open(where: Path) -> Any:
    if where.is_dir():
        zips = sorted(where.glob("*-evidence.zip"))
        if not (where / "manifest.json").exists() and len(zips) == 1:
            where = zips[0]

    def read(name: str) -> bytes:
        try:
            if where.is_dir():
                return (where / name).read_bytes()
            with zipfile.ZipFile(where) as archive:
                return archive.read(name)
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise Problem(
                Kind.INVALID,
                "evidence-missing",
                f"{name} cannot be read from {where}.",
                remedy="Give the folder or the zip that `cupola export RELEASE` wrote, of a certified release.",
                place=name,
            ) from error

    return read
