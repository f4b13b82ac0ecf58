"""The certificate as a document: everything needed to compute it again, and a signature over it."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from cupola.kernel.errors import invalid
from cupola.quality.certify.draw import METHOD, draw, hash_of_ids, hash_of_labels
from cupola.quality.certify.fixed import clopper_pearson_upper, error_upper
from cupola.quality.certify.sequential import Sequential
from cupola.quality.certify.strata import Stratum, stratified_upper

FORMAT = "cupola.certificate/1"
Outcome = Literal["right", "wrong", "undecidable"]
PlanKind = Literal["fixed", "sequential"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What the auditors made of one drawn item; `second`: what the second auditor said before adjudication."""

    item: str
    outcome: Outcome
    first: Outcome | None = None
    second: Outcome | None = None


@dataclass(frozen=True, slots=True)
class AuditPlan:
    """Declared before the draw. limit: the error rate to prove (1 - target accuracy)."""

    kind: PlanKind
    n: int
    limit: float
    confidence: float
    seed: str
    definition: str = "the label differs from the one the auditors settle on"


@dataclass(frozen=True, slots=True)
class Result:
    """What the audit proves. All shares are of the decidable items; `worst_case_upper` counts undecidables as wrong."""

    audited: int
    errors: int
    undecidable: int
    error_upper: float
    accuracy_lower: float
    worst_case_upper: float
    reached: bool
    double_judged: int
    disagreements: int


def evaluate(
    items: Sequence[str], findings: Sequence[Finding], plan: AuditPlan, census: Mapping[str, Outcome] | None = None
) -> Result:
    """The claim that an audit supports.

    items: every id of the release. findings: in the order of the draw. census: items that experts examined one by one
    before the freeze, with what the frozen label is worth; they are left out of the draw.
    Raises Problem when the findings are not exactly the drawn items (for a sequential plan: their beginning).
    """
    known = dict(census or {})
    there = set(items)
    strangers = [item for item in known if item not in there]
    if strangers:
        raise invalid("audit-stranger", f"{strangers[0]!r} of the census is not in the release.", place="/census")
    frame = [item for item in items if item not in known]
    drawn = draw(frame, min(plan.n, len(frame)), plan.seed)
    seen = [finding.item for finding in findings]
    expected = drawn if plan.kind == "fixed" else drawn[: len(seen)]
    if seen != expected:
        first = next(
            (i for i, (a, b) in enumerate(zip(seen, expected, strict=False)) if a != b), min(len(seen), len(expected))
        )
        raise invalid(
            "audit-not-the-draw",
            f"Finding {first} is {seen[first]!r}, but the plan drew {expected[first]!r} there."
            if first < len(seen) and first < len(expected)
            else f"{len(seen)} findings for {len(expected)} drawn items.",
            remedy="Judge exactly the drawn items, in their order; what cannot be decided is 'undecidable'.",
            place=f"/findings/{first}",
        )
    decided = [finding for finding in findings if finding.outcome != "undecidable"]
    errors = sum(finding.outcome == "wrong" for finding in decided)
    undecidable = len(findings) - len(decided)
    census_errors = sum(outcome == "wrong" for outcome in known.values())
    census_decided = sum(outcome != "undecidable" for outcome in known.values())
    if plan.kind == "sequential":
        if known:
            raise invalid("plan-mixed", "A sequential plan has no census.", remedy="Use a fixed plan.", place="/plan")
        fresh = Sequential(plan.limit, plan.confidence, population=len(frame))
        state = fresh.seen_all(f.outcome == "wrong" for f in decided)
        pessimist = fresh.seen_all(f.outcome != "right" for f in findings)
        upper = plan.limit if state.reached else 1.0
        worst = plan.limit if pessimist.reached else 1.0
    else:
        upper = _bound(errors, len(decided), undecidable, len(frame), census_errors, census_decided, plan.confidence)
        worst = _bound(
            errors + undecidable,
            len(findings),
            0,
            len(frame),
            census_errors + len(known) - census_decided,
            len(known),
            plan.confidence,
        )
    double = [finding for finding in findings if finding.first is not None and finding.second is not None]
    return Result(
        audited=len(findings),
        errors=errors,
        undecidable=undecidable,
        error_upper=upper,
        accuracy_lower=1.0 - upper,
        worst_case_upper=worst,
        reached=upper <= plan.limit,
        double_judged=len(double),
        disagreements=sum(finding.first != finding.second for finding in double),
    )


def _bound(
    errors: int,
    n: int,
    undecidable: int,
    population: int,
    census_errors: int,
    census_decided: int,
    confidence: float,
) -> float:
    if population == 0:
        return census_errors / census_decided if census_decided else 1.0
    if n == 0:
        return 1.0
    if undecidable == 0 and census_decided == 0:
        return error_upper(errors, n, population, confidence)
    if undecidable == 0:
        strata = [Stratum("census", census_decided, census_decided, census_errors)]
        return stratified_upper([*strata, Stratum("rest", population, n, errors)], confidence)
    # how many items of the rest are decidable is not known exactly, so its rate is bounded as if it were endless,
    # and its share as if all of it were decidable
    rate = clopper_pearson_upper(errors, n, confidence)
    own = census_errors / census_decided if census_decided else 0.0
    if rate >= own:
        return (rate * population + census_errors) / (population + census_decided)
    return max(rate, own)


def build(
    labels: Mapping[str, Any],
    findings: Sequence[Finding],
    plan: AuditPlan,
    *,
    release: str,
    census: Mapping[str, Outcome] | None = None,
    made_at: str = "",
) -> dict[str, Any]:
    """The unsigned certificate of a frozen release: labels is item -> label as released."""
    items = sorted(labels)
    result = evaluate(items, findings, plan, census)
    return {
        "format": FORMAT,
        "release": {
            "name": release,
            "items": len(items),
            "ids_sha256": hash_of_ids(items),
            "labels_sha256": hash_of_labels(labels),
        },
        "plan": {
            "kind": plan.kind,
            "n": plan.n,
            "limit": plan.limit,
            "confidence": plan.confidence,
            "seed": plan.seed,
            "draw": METHOD,
            "definition": plan.definition,
        },
        "census": dict(sorted((census or {}).items())),
        "findings": [
            {"item": f.item, "outcome": f.outcome}
            | ({"first": f.first, "second": f.second} if f.first is not None else {})
            for f in findings
        ],
        "result": result_dict(result),
        "statement": statement(release, len(items), plan, result),
        "made_at": made_at,
    }


def result_dict(result: Result) -> dict[str, Any]:
    """A Result as JSON, numbers rounded to 12 digits so that another machine writes the same."""
    return {
        "audited": result.audited,
        "errors": result.errors,
        "undecidable": result.undecidable,
        "error_upper": round(result.error_upper, 12),
        "accuracy_lower": round(result.accuracy_lower, 12),
        "worst_case_upper": round(result.worst_case_upper, 12),
        "reached": result.reached,
        "double_judged": result.double_judged,
        "disagreements": result.disagreements,
    }


def _down(share: float) -> str:
    """A lower bound in per cent, rounded down: a claim is never rounded in its own favour."""
    return f"{math.floor(share * 10_000 + 1e-9) / 100:.2f}"


def statement(release: str, items: int, plan: AuditPlan, result: Result) -> str:
    """The claim in one sentence."""
    found = f"{result.errors} error{'' if result.errors == 1 else 's'} among {result.audited} audited"
    apart = f", {result.undecidable} undecidable" if result.undecidable else ""
    claim = f"accuracy of at least {_down(result.accuracy_lower)} % at {100 * plan.confidence:g} % confidence"
    if plan.kind == "sequential" and not result.reached:
        claim = f"accuracy of {100 * (1 - plan.limit):g} % not yet shown"
    return f"Release {release}, {items} items: {claim} ({found}{apart}; {plan.kind} plan)."


def canonical(document: Mapping[str, Any]) -> bytes:
    """The bytes that are signed: JSON without the signature, keys sorted, no spaces, UTF-8."""
    bare = {key: value for key, value in document.items() if key != "signature"}
    return json.dumps(bare, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def sign(document: Mapping[str, Any], private_key: bytes) -> dict[str, Any]:
    """The document with an Ed25519 signature; private_key: 32 raw bytes."""
    key = Ed25519PrivateKey.from_private_bytes(private_key)
    public = key.public_key().public_bytes_raw()
    value = key.sign(canonical(document))
    signature = {
        "algorithm": "ed25519",
        "public_key": base64.b64encode(public).decode(),
        "value": base64.b64encode(value).decode(),
    }
    return {**{k: v for k, v in document.items() if k != "signature"}, "signature": signature}


def check(
    document: Mapping[str, Any], labels: Mapping[str, Any] | None = None, public_key: bytes | None = None
) -> list[str]:
    """Compute a certificate again; returns what does not hold, nothing when all does.

    labels: the released labels, item -> label; without them the hashes and the draw cannot be checked, which is
    said in the list. public_key: the 32 raw bytes the signer is known by; without it only the signature's own key
    is used, which proves that nothing was changed since, not who signed.
    """
    wrong: list[str] = []
    try:
        if document["format"] != FORMAT:
            return [f"The format is {document['format']!r}; this program knows {FORMAT!r}."]
        wrong += _check_signature(document, public_key)
        plan_fields = document["plan"]
        if plan_fields["draw"] != METHOD:
            return [*wrong, f"The draw {plan_fields['draw']!r} is not known."]
        plan = AuditPlan(
            plan_fields["kind"],
            int(plan_fields["n"]),
            float(plan_fields["limit"]),
            float(plan_fields["confidence"]),
            str(plan_fields["seed"]),
            str(plan_fields["definition"]),
        )
        findings = [Finding(f["item"], f["outcome"], f.get("first"), f.get("second")) for f in document["findings"]]
        strange = [f.outcome for f in findings if f.outcome not in ("right", "wrong", "undecidable")]
        if strange:
            return [*wrong, f"The outcome {strange[0]!r} is not known."]
        if labels is None:
            return [*wrong, "The released labels were not given: their hash and the draw were not checked."]
        items = sorted(labels)
        release = document["release"]
        for name, value in (
            ("items", len(items)),
            ("ids_sha256", hash_of_ids(items)),
            ("labels_sha256", hash_of_labels(labels)),
        ):
            if release[name] != value:
                wrong.append(f"release.{name} is {release[name]}, the labels give {value}.")
        result = result_dict(evaluate(items, findings, plan, document.get("census") or None))
        for name, value in result.items():
            if document["result"].get(name) != value:
                wrong.append(f"result.{name} is {document['result'].get(name)}, the findings give {value}.")
    except KeyError as error:
        wrong.append(f"The field {error} is missing.")
    except Exception as error:  # a document from outside: whatever is wrong with it is a finding, not a crash
        wrong.append(f"It cannot be computed again: {error}")
    return wrong


def _check_signature(document: Mapping[str, Any], public_key: bytes | None) -> list[str]:
    signature = document.get("signature")
    if not signature:
        return ["The certificate is not signed."]
    try:
        key = base64.b64decode(signature["public_key"], validate=True)
        if public_key is not None and key != public_key:
            return ["The certificate is signed with another key than the one given."]
        Ed25519PublicKey.from_public_bytes(key).verify(
            base64.b64decode(signature["value"], validate=True), canonical(document)
        )
    except (InvalidSignature, ValueError, KeyError):
        return ["The signature does not fit the document: something was changed after signing."]
    return []
