"""The certificate as a document: everything needed to compute it again, and a signature over it."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from cupola.kernel.errors import invalid
from cupola.quality.certify.draw import METHOD
from cupola.quality.certify.evidence import (
    DEFINITION,
    LEAST_CONFIDENCE,
    MOST_CONFIDENCE,
    AuditPlan,
    Finding,
    Freezing,
    Frozen,
    Outcome,
    Result,
    evaluate_drawn,
    freeze,
)

FORMAT = "cupola.certificate/2"
FORMATS = {"cupola.certificate/1": 1, FORMAT: 2}
DEFINITION_BY_KIND = "the label is not the same, by the kind's own comparison, as the one a blind adjudicator gives"
DEFINITIONS = (DEFINITION, DEFINITION_BY_KIND)
OUTCOMES = ("right", "wrong", "undecidable")
UNSIGNED = "The certificate is not signed."
# What is printed and only a signature can vouch for: it follows from nothing else in the document.
VOUCHED = ("release.name", "made_at", "plan", "findings", "census", "earlier", "evidence")


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
    strangers = [item for item in census or {} if item not in labels]
    if strangers:
        raise invalid("audit-stranger", f"{strangers[0]!r} of the census is not in the release.", place="/census")
    return build_frozen(freeze(labels, plan, census), findings, plan, release=release, census=census, made_at=made_at)


def build_frozen(
    frozen: Frozen,
    findings: Sequence[Finding],
    plan: AuditPlan,
    *,
    release: str,
    census: Mapping[str, Outcome] | None = None,
    earlier: Sequence[Mapping[str, Any]] | None = None,
    made_at: str = "",
    version: int = 2,
) -> dict[str, Any]:
    """The unsigned certificate of rows that were frozen as a stream.

    earlier: what is known of every audit before this one that shares rows with it, each with `shared_rows`, how many
    of this release's; None where nobody keeps count. The plan's attempt follows from it (see `attempt_of`).
    """
    result = evaluate_drawn(frozen.items, frozen.drawn, findings, plan, census, version=version)
    declared: dict[str, Any] = {
        "kind": plan.kind,
        "n": plan.n,
        "limit": plan.limit,
        "confidence": plan.confidence,
        "seed": plan.seed,
        "draw": METHOD,
        "definition": plan.definition,
    }
    document: dict[str, Any] = {
        "format": next(name for name, number in FORMATS.items() if number == version),
        "release": {
            "name": release,
            "items": frozen.items,
            "ids_sha256": frozen.ids_sha256,
            "labels_sha256": frozen.labels_sha256,
        },
        "plan": declared,
        "census": dict(sorted((census or {}).items())),
        "findings": [
            {"item": f.item, "outcome": f.outcome}
            | ({"first": f.first, "second": f.second} if f.first is not None else {})
            for f in findings
        ],
        "result": result_dict(result),
        "statement": statement(release, frozen.items, plan, result),
        "made_at": made_at,
    }
    if version > 1:
        declared["attempt"] = plan.attempt
        declared["bound_confidence"] = plan.bound_confidence
        document["earlier"] = None if earlier is None else [dict(one) for one in earlier]
    return document


def attempt_of(items: int, earlier: Sequence[Mapping[str, Any]]) -> int:
    """The number of this audit among those of the same rows: an earlier one counts that shares half of them or more.

    items: of the release. A few corrected labels make no new release of it, a doubled data set does.
    """
    return 1 + sum(2 * int(one["shared_rows"]) >= items for one in earlier)


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


def down(share: float) -> str:
    """A lower bound in per cent, rounded down: a claim is never rounded in its own favour."""
    return f"{math.floor(share * 10_000 + 1e-9) / 100:.2f}"


def statement(release: str, items: int, plan: AuditPlan, result: Result) -> str:
    """The claim in one sentence."""
    found = f"{result.errors} error{'' if result.errors == 1 else 's'} among {result.audited} audited"
    apart = f", {result.undecidable} undecidable" if result.undecidable else ""
    claim = f"accuracy of at least {down(result.accuracy_lower)} % at {100 * plan.confidence:g} % confidence"
    if plan.kind == "sequential" and not result.reached:
        claim = f"accuracy of {100 * (1 - plan.limit):g} % not yet shown"
    again = f", audit {plan.attempt} of these rows" if plan.attempt is not None and plan.attempt > 1 else ""
    return f"Release {release}, {items} items: {claim} ({found}{apart}; {plan.kind} plan{again})."


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


def frame_of(document: Mapping[str, Any]) -> Freezing:
    """What the released rows are to be added to, sorted by item, so that `check` can compare them with a certificate.

    Raises Problem, KeyError, TypeError or ValueError for a document that is no certificate.
    """
    plan = document["plan"]
    return Freezing(str(plan["seed"]), int(plan["n"]), dict(document.get("census") or {}))


def check(
    document: Mapping[str, Any],
    labels: Mapping[str, Any] | None = None,
    public_key: bytes | None = None,
    *,
    frozen: Frozen | None = None,
) -> list[str]:
    """Compute a certificate again; returns what does not hold, nothing when all does.

    The whole document is made anew and compared, member by member: the sentence as well as the numbers. What follows
    from nothing in it (`VOUCHED`) is as good as the signature.

    labels: the released labels, item -> label, or `frozen`, the same as `frame_of` made it; without either nothing can
    be computed, which is said in the list. public_key: the 32 raw bytes the signer is known by; without it only the
    signature's own key is used, which proves that nothing was changed since, not who signed.
    """
    wrong: list[str] = []
    try:
        version = FORMATS.get(document["format"])
        if version is None:
            return [f"The format is {document['format']!r}; this program knows {FORMAT!r}."]
        wrong += _check_signature(document, public_key)
        fields = document["plan"]
        if fields["draw"] != METHOD:
            return [*wrong, f"The draw {fields['draw']!r} is not known."]
        plan = AuditPlan(
            fields["kind"],
            int(fields["n"]),
            float(fields["limit"]),
            float(fields["confidence"]),
            str(fields["seed"]),
            str(fields["definition"]),
            fields["attempt"] if version > 1 else None,
        )
        wrong += _check_plan(document, plan, version)
        findings = [Finding(f["item"], f["outcome"], f.get("first"), f.get("second")) for f in document["findings"]]
        said = [word for f in findings for word in (f.outcome, f.first, f.second) if word is not None]
        strange = [word for word in said if word not in OUTCOMES]
        if strange:
            return [*wrong, f"The outcome {strange[0]!r} is not known."]
        if frozen is None and labels is None:
            return [*wrong, "The released labels were not given: their hash and the draw were not checked."]
        census = document["census"]
        rows = frozen if frozen is not None else freeze(labels or {}, plan, census)
        again = build_frozen(
            rows,
            findings,
            plan,
            release=str(document["release"]["name"]),
            census=census,
            earlier=document["earlier"] if version > 1 else None,
            made_at=str(document["made_at"]),
            version=version,
        )
        bare = {key: value for key, value in document.items() if key not in ("signature", "evidence")}
        wrong += _differences("", bare, again)
    except KeyError as error:
        wrong.append(f"The field {error} is missing.")
    except Exception as error:  # a document from outside: whatever is wrong with it is a finding, not a crash
        wrong.append(f"It cannot be computed again: {error}")
    return wrong


def _check_plan(document: Mapping[str, Any], plan: AuditPlan, version: int) -> list[str]:
    wrong: list[str] = []
    if plan.definition not in DEFINITIONS:
        wrong.append(f"plan.definition is {plan.definition!r}, which no audit of ours goes by.")
    if plan.kind not in ("fixed", "sequential"):
        wrong.append(f"plan.kind is {plan.kind!r}, which is not known.")
    least = 1.0 - MOST_CONFIDENCE - 1e-9
    if not (least <= plan.limit <= 1.0 - LEAST_CONFIDENCE and LEAST_CONFIDENCE <= plan.confidence <= MOST_CONFIDENCE):
        wrong.append(f"The limit {plan.limit} or the confidence {plan.confidence} is none that an audit can declare.")
    if document["made_at"]:
        datetime.fromisoformat(document["made_at"])
    if version > 1:
        earlier = document["earlier"]
        attempt = None if earlier is None else attempt_of(int(document["release"]["items"]), earlier)
        if plan.attempt != attempt:
            wrong.append(f"plan.attempt is {plan.attempt}, the earlier audits make it {attempt}.")
    return wrong


def _differences(place: str, given: Any, made: Any) -> list[str]:
    """Where two JSON values differ. A number is not the word for it, and `true` is not 1."""
    if isinstance(given, Mapping) and isinstance(made, Mapping):
        found: list[str] = []
        for name in sorted({*given, *made}, key=str):
            where = f"{place}.{name}" if place else str(name)
            if name not in made:
                found.append(f"{where} is no member of a certificate.")
            elif name not in given:
                found.append(f"{where} is missing.")
            else:
                found += _differences(where, given[name], made[name])
        return found
    if json.dumps(given, sort_keys=True) != json.dumps(made, sort_keys=True):
        return [f"{place} is {_short(given)}, the audit gives {_short(made)}."]
    return []


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else text[:200] + "…"


def _check_signature(document: Mapping[str, Any], public_key: bytes | None) -> list[str]:
    signature = document.get("signature")
    if not signature:
        return [UNSIGNED]
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
