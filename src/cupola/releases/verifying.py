"""`verify`: compute a release's certificate again from its evidence alone, at constant memory."""

from __future__ import annotations

import base64
import hashlib
import heapq
import json
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from cupola.kernel.errors import Kind, Problem, invalid
from cupola.labels import apart, decode_label, decode_ontology, same, unit_kind, units
from cupola.quality import certify
from cupola.releases import model

FILES = ("plan.json", "ontology.json", "rows.jsonl", "judgements.jsonl", "audit.jsonl", "certificate.json")
SORTED_AT_ONCE = 50_000  # rows held while they are brought into order


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


def verify(where: Path, public_key: bytes | None = None) -> Verified:
    """Compute a release's certificate again from its evidence: a folder or the zip. No database, no network.

    public_key: the 32 raw bytes the signer is known by; without it the signature only shows that nothing was changed
    since. Raises Problem when a file is missing or no file of ours.
    """
    files = Files(where)
    wrong: list[str] = []
    checked: list[str] = []
    manifest = files.json("manifest.json")
    hashes = {name: files.sha256(name) for name in manifest["sha256"]}
    wrong += [
        f"{name} is not the file that the manifest names."
        for name, expected in sorted(manifest["sha256"].items())
        if hashes[name] != expected
    ]
    wrong += [f"The manifest does not name {name}." for name in sorted(set(FILES) - set(hashes))]
    checked.append(f"{len(hashes)} files against the manifest")

    plan, certificate = files.json("plan.json"), files.json("certificate.json")
    wrong += _of_the_plan(plan, certificate, {name: hashes.get(name) or files.sha256(name) for name in FILES[:3]})
    checked.append("the plan, the seed's commitment and the frozen rows by their hashes")

    audited: dict[str, list[dict[str, Any]]] = {}
    for line in files.lines("audit.jsonl"):
        audited.setdefault(line["task"], []).append(line)
    frame = certify.frame_of(certificate)
    labels: dict[str, Any] = {}  # of the audited items
    with tempfile.TemporaryDirectory(prefix="cupola-verify-") as scratch:
        for task, text in _in_order(files, Path(scratch)):
            label = json.loads(text)
            frame.add(task, label)
            if task in audited:
                labels[task] = label
    frozen = frame.done()

    ontology = decode_ontology(files.read("ontology.json"))
    outcomes: dict[str, list[str]] = {}
    counted: dict[str, tuple[int, int, int]] = {}
    for task, said in audited.items():
        for line in said:
            if task not in labels or labels[task] != line["released"]:
                wrong.append(f"The audit of {task} was about another label than the released one.")
            if line["undecidable"]:
                outcome = "undecidable"
            else:
                released = decode_label(json.dumps(line["released"]))
                answer = decode_label(json.dumps(line["audited"]))
                outcome = "right" if same(answer, released, ontology) else "wrong"
                if "wrong" in line:
                    alone, lacking = apart(released, answer, ontology)
                    counted[task] = (len(units(released, ontology)), len(alone), len(lacking))
                    if (line["wrong"], line["missing"]) != (alone, len(lacking)):
                        wrong.append(f"The audit of {task} names other wrong parts than its labels give.")
            outcomes.setdefault(task, []).append(outcome)
    auditors = plan.get("auditors", 1)
    for task, verdicts in outcomes.items():
        differ = auditors == 2 and len(verdicts) > 1 and verdicts[0] != verdicts[1]
        if len(verdicts) != (3 if differ else auditors):
            wrong.append(f"The audit of {task} has {len(verdicts)} judgements, which its plan does not foresee.")
    found = [
        (task, verdicts[-1], *(verdicts[:2] if auditors == 2 else (None, None))) for task, verdicts in outcomes.items()
    ]
    if found != [(f["item"], f["outcome"], f.get("first"), f.get("second")) for f in certificate["findings"]]:
        wrong.append("The findings of the certificate are not what the audit's labels give.")
    parts = certificate.get("evidence", {}).get("parts")
    if (parts is not None or counted) and parts != model.parts_audited(unit_kind(ontology), list(counted.values())):
        wrong.append("The parts that the certificate counts are not those of the audit.")
    checked.append(f"the verdicts on {len(outcomes)} audited items, compared with the released labels again")
    if counted:
        seen = model.parts_audited(unit_kind(ontology), list(counted.values()))
        checked.append(
            f"their parts ({seen['kind']}): {seen['released']} released, {seen['wrong']} without a counterpart in the "
            f"auditors' labels, {seen['missing']} of the auditors' missing"
        )
    wrong += certify.check(certificate, public_key=public_key, frozen=frozen)
    checked.append("the draw, the counts, the earlier audits, the bound, the sentence and the signature")
    result = certificate["result"]
    return Verified(
        certificate["statement"],
        None if wrong else result["accuracy_lower"],
        frozen.items,
        result["audited"],
        result["errors"],
        checked,
        wrong,
    )


def _of_the_plan(plan: dict[str, Any], certificate: dict[str, Any], hashes: dict[str, str]) -> list[str]:
    wrong: list[str] = []
    evidence = {name: said for name, said in certificate.get("evidence", {}).items() if name != "parts"}
    auditors = plan.get("auditors", 1)
    computed = {
        "ontology_sha256": hashes["ontology.json"],
        "plan_sha256": hashes["plan.json"],
        "rows_sha256": hashes["rows.jsonl"],
        "seed_commitment_sha256": hashlib.sha256(certificate["plan"]["seed"].encode()).hexdigest(),
        "protocol": model.PROTOCOL if auditors == 1 else model.PROTOCOL_OF_TWO,
    }
    for name in sorted({*computed, *evidence}):
        if evidence.get(name) != computed.get(name):
            wrong.append(f"The certificate says {name} {evidence.get(name)}, the files give {computed.get(name)}.")
    if plan.get("seed_commitment_sha256") != evidence.get("seed_commitment_sha256"):
        wrong.append("The seed is not the one that the plan committed to before the draw.")
    for mine, theirs in (("items", "n"), ("confidence", "confidence"), ("kind", "kind")):
        if plan.get(mine) != certificate["plan"].get(theirs):
            wrong.append(f"The certificate's plan differs from the declared one in {mine}.")
    if plan.get("protocol") != evidence.get("protocol"):
        wrong.append("The certificate's protocol is not the declared one.")
    if plan.get("release") != certificate["release"]["name"]:
        wrong.append("The certificate is about a release of another name than the declared one.")
    if round(1.0 - plan["target_accuracy"], 12) != certificate["plan"]["limit"]:
        wrong.append("The certificate's limit is not the declared target.")
    return wrong


def _in_order(files: Files, scratch: Path) -> Iterator[tuple[str, str]]:
    """(task, label as JSON) of every row, in the order of the tasks: sorted in parts on disk, then merged."""
    parts: list[Path] = []
    held: list[tuple[str, str]] = []

    def put_down() -> None:
        held.sort()
        parts.append(scratch / str(len(parts)))
        with parts[-1].open("w", encoding="utf-8") as out:
            out.writelines(f"{task}\t{text}\n" for task, text in held)
        held.clear()

    for line in files.lines("rows.jsonl"):
        held.append((str(line["task"]), json.dumps(line["label"])))
        if len(held) == SORTED_AT_ONCE:
            put_down()
    put_down()
    with ExitStack() as stack:
        opened = [stack.enter_context(part.open(encoding="utf-8")) for part in parts]
        for row in heapq.merge(*opened, key=lambda row: row.partition("\t")[0]):
            task, _, text = row.rstrip("\n").partition("\t")
            yield task, text


def signer(certificate: dict[str, Any]) -> bytes:
    """The public key a certificate carries."""
    return base64.b64decode(certificate["signature"]["public_key"])


class Files:
    """The files of one release's evidence, in a folder or in the zip."""

    def __init__(self, where: Path) -> None:
        if where.is_dir():
            zips = sorted(where.glob("*-evidence.zip"))
            if not (where / "manifest.json").exists() and len(zips) == 1:
                where = zips[0]
        self._where = where

    def open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        try:
            if self._where.is_dir():
                return (self._where / name).open("rb")
            return zipfile.ZipFile(self._where).open(name)
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise Problem(
                Kind.INVALID,
                "evidence-missing",
                f"{name} cannot be read from {self._where}.",
                remedy="Give the folder or the zip that `cupola export RELEASE` wrote, of a certified release.",
                place=name,
            ) from error

    def read(self, name: str) -> bytes:
        with self.open(name) as file:
            return file.read()

    def sha256(self, name: str) -> str:
        digest = hashlib.sha256()
        with self.open(name) as file:
            while part := file.read(1 << 20):
                digest.update(part)
        return digest.hexdigest()

    def json(self, name: str) -> Any:
        """Raises Problem for what is no JSON, or says one thing twice."""
        try:
            return certify.read_json(self.read(name))
        except ValueError as error:
            raise invalid("evidence-unreadable", f"{name} is not JSON: {error}.", place=name) from error

    def lines(self, name: str) -> Iterator[Any]:
        with self.open(name) as file:
            for number, line in enumerate(file, 1):
                try:
                    yield certify.read_json(line)
                except ValueError as error:
                    raise invalid("evidence-unreadable", f"{name}, line {number}: {error}.", place=name) from error
