"""`cupola quality audit …`: a plan, a draw, the auditors' answers and a certificate, as files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
from cyclopts import App, Parameter

from cupola.kernel.errors import invalid
from cupola.quality.certify.document import UNSIGNED, VOUCHED, build, check
from cupola.quality.certify.draw import draw, hash_of_ids, hash_of_labels
from cupola.quality.certify.evidence import AuditPlan, Finding, Outcome, PlanKind, check_plan, read_json
from cupola.quality.certify.fixed import sample_size_for_power
from cupola.quality.certify.page import Language, page
from cupola.quality.inference.codes import LABEL_COLUMNS, TASK_COLUMNS, find_column
from cupola.quality.readers import read_table
from cupola.quality.terminal import bar, err, out

audit = App(name="audit", help="Draw an audit sample, judge it, and write the certificate.")


@audit.command(name="draw")
def audit_draw(
    labels: Path,
    *,
    seed: str,
    out_file: Annotated[Path, Parameter(name="--out")],
    n: int | None = None,
    target: float = 0.99,
    confidence: float = 0.95,
    expected_error: float | None = None,
    kind: PlanKind = "fixed",
) -> None:
    """Draw the sample of a frozen release, and write the plan with the hashes that bind it.

    labels: a table of task and label. target and confidence are shares: 0.99 for 99 %. Without n, as many as prove the
    target with 90 % probability when the true error is expected_error (a tenth of the limit unless given).
    """
    check_plan(1 if n is None else n, target, confidence)
    if not seed.strip():
        raise invalid("seed-empty", "An empty seed commits to nothing.", place="--seed", remedy="Give it some words.")
    limit = 1.0 - target
    with bar("drawing the sample") as told:
        frozen = _labels(labels)
        if not frozen:
            raise invalid("release-empty", f"{labels} holds no labels.", place=str(labels))
        told(1, 3, "planning its size")
        if n is None:
            expected = limit / 10 if expected_error is None else expected_error
            n, _ = sample_size_for_power(limit, expected, 0.9, confidence, len(frozen))
        told(2, 3, "hashing")
        drawn = draw(sorted(frozen), min(n, len(frozen)), seed)
    document = {
        "release": labels.stem,
        "items": len(frozen),
        "ids_sha256": hash_of_ids(frozen),
        "labels_sha256": hash_of_labels(frozen),
        "plan": {"kind": kind, "n": n, "limit": round(limit, 12), "confidence": confidence, "seed": seed},
        "drawn": drawn,
    }
    out_file.write_text(json.dumps(document, ensure_ascii=False, indent=1), "utf-8")
    err.print(f"{len(drawn)} of {len(frozen)} items drawn; the plan is in {out_file}.", highlight=False)


@audit.command(name="judge")
def audit_judge(plan: Path, answers: Path, labels: Path, *, out_file: Annotated[Path, Parameter(name="--out")]) -> None:
    """Compare the auditors' answers with the frozen labels.

    answers: a table of task and label by the auditors ("undecidable" where they cannot settle), and a second column
    `second` for a second auditor's answer, where there was one. Writes item, outcome, first, second.
    """
    document = _plan(plan)
    frozen = _labels(labels)
    if hash_of_labels(frozen) != document["labels_sha256"]:
        raise invalid(
            "labels-changed",
            f"{labels} is not the release that was frozen for {plan}.",
            remedy="Audit the frozen file; what was corrected since goes into the next release.",
            place=str(labels),
        )
    table = read_table(answers)
    said = _pairs(table, answers)
    second = _pairs(table, answers, "second") if "second" in table.column_names else {}
    rows: list[dict[str, Any]] = []
    for item in document["drawn"]:
        if item not in said:
            if document["plan"]["kind"] == "sequential":
                break
            raise invalid(
                "audit-unanswered",
                f"{answers} has no answer for the drawn item {item!r}.",
                remedy="Answer every drawn item; where it cannot be decided, 'undecidable'.",
                place=str(answers),
            )
        rows.append(
            {
                "item": item,
                "outcome": _outcome(said[item], frozen[item]),
                "first": _outcome(said[item], frozen[item]) if item in second else None,
                "second": _outcome(second[item], frozen[item]) if item in second else None,
            }
        )
    out_file.write_text(json.dumps(rows, ensure_ascii=False, indent=1), "utf-8")
    err.print(f"{len(rows)} findings in {out_file}.", highlight=False)


@audit.command(name="report")
def audit_report(
    plan: Path,
    findings: Path,
    labels: Path,
    *,
    out_file: Annotated[Path, Parameter(name="--out")],
    html: Path | None = None,
    language: Language = "en",
) -> None:
    """Write the certificate (JSON, and HTML when asked) that the findings support."""
    document = _plan(plan)
    fields = document["plan"]
    declared = AuditPlan(fields["kind"], fields["n"], fields["limit"], fields["confidence"], fields["seed"])
    check_plan(declared.n, 1.0 - declared.limit, declared.confidence)  # a plan may have been written by another hand
    found = [Finding(row["item"], row["outcome"], row.get("first"), row.get("second")) for row in _json(findings)]
    frozen = _labels(labels)
    if hash_of_labels(frozen) != document["labels_sha256"]:
        raise invalid("labels-changed", f"{labels} is not the release that was frozen for {plan}.", place=str(labels))
    certificate = build(frozen, found, declared, release=document["release"])
    out_file.write_text(json.dumps(certificate, ensure_ascii=False, indent=1), "utf-8")
    if html is not None:
        html.write_text(page(certificate, language), "utf-8")
    out.print(certificate["statement"], soft_wrap=True, highlight=False)


@audit.command(name="check")
def audit_check(certificate: Path, labels: Path) -> None:
    """Compute a certificate again from the released labels; exit code 2 when anything does not hold."""
    document = _json(certificate)
    wrong = check(document, _labels(labels))
    for line in wrong:
        err.print(line, soft_wrap=True, highlight=False)
    if [line for line in wrong if line != UNSIGNED]:
        raise invalid("certificate-wrong", "The certificate does not hold.", place=str(certificate))
    vouched = ", ".join(name for name in VOUCHED if document.get(name.partition(".")[0]))
    out.print(
        "The certificate holds: the hashes, the draw, the counts, the bound and the sentence were computed again.",
        soft_wrap=True,
        highlight=False,
    )
    out.print(
        f"Nothing but {'its signature' if UNSIGNED not in wrong else 'whoever gave it to you'} vouches for: {vouched}.",
        soft_wrap=True,
        highlight=False,
    )


def _labels(path: Path) -> dict[str, str]:
    return _pairs(read_table(path), path)


def _pairs(table: pa.Table, path: Path, column: str | None = None) -> dict[str, str]:
    """task -> label as text; empty cells are left out."""
    tasks = table[find_column(table, None, TASK_COLUMNS, "task")].to_pylist()
    labels = table[find_column(table, column, LABEL_COLUMNS, "label")].to_pylist()
    pairs: dict[str, str] = {}
    for row, (task, label) in enumerate(zip(tasks, labels, strict=True)):
        if label is None or task is None:
            continue
        if str(task) in pairs:
            raise invalid("item-twice", f"{path}, row {row}: {task!r} is there twice.", place=f"row {row}")
        pairs[str(task)] = str(label)
    return pairs


def _outcome(said: str, label: str) -> Outcome:
    if said.strip().lower() == "undecidable":
        return "undecidable"
    return "right" if said == label else "wrong"


def _plan(path: Path) -> dict[str, Any]:
    document = _json(path)
    if not isinstance(document, dict) or "drawn" not in document:
        raise invalid("plan-unreadable", f"{path} is not a plan written by `audit draw`.", place=str(path))
    return document


def _json(path: Path) -> Any:
    try:
        return read_json(path.read_text("utf-8"))
    except OSError as error:
        raise invalid("file-absent", f"{path} cannot be read: {error.strerror}.", place=str(path)) from error
    except ValueError as error:
        raise invalid("file-unreadable", f"{path} is not JSON: {error}.", place=str(path)) from error
