"""What each rule of work says and what makes it hold. A number may be moved in the worker's favour only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

State = Literal["holds", "broken", "partly", "absent"]


@dataclass(frozen=True, slots=True)
class Rule:
    """held_by: the mechanism; lacks: what of it is not built, "" where all is; absent: nothing of it is."""

    id: str
    says: str
    held_by: str
    lacks: str = ""
    absent: bool = False


RULES = (
    Rule("R1", "Nothing is offered or claimed unless its money is reserved.", "a claim is the hold; no budget below 0"),
    Rule(
        "R2",
        "Paid on submit; where a project reviews first, within 72 h at most, and accepted by itself then.",
        "the submit pays; deadlines are decided by whoever reads next",
    ),
    Rule(
        "R3",
        "Reserved money leaves to the worker, back on return or expiry, or by an upheld rejection.",
        "closed table of flows; a trigger that asks for the verdict",
    ),
    Rule("R4", "No negative balance, claw-back, set-off or fee for a worker.", "a check; from a worker only payouts"),
    Rule(
        "R5",
        "An hourly floor per worker and week over all time.",
        "",
        "floors, the reserve for them and the weekly top-up",
        absent=True,
    ),
    Rule(
        "R6",
        "Offers are versioned; pay follows the version at the claim.",
        "append-only offers, named by each claim; the price of a launched project is not cut",
    ),
    Rule(
        "R7",
        "A time estimate (median and p75) is shown before the claim.",
        "measured over the last 1,000 judgements once there are 20, the requester's estimate before",
        "a paid pilot before a project goes live",
    ),
    Rule(
        "R8",
        "Reading, qualification and training are paid tasks.",
        "training is a project beside, at the project's price; nothing else stands before a claim",
        "a price for reading guidelines that changed",
    ),
    Rule(
        "R9",
        "A rejection names a reason, points at the place, and carries evidence.",
        "checks of the table; the evidence must say otherwise than the work",
    ),
    Rule(
        "R10",
        "Who judges an appeal is of neither side and not paid by outcome: 2 of 3, blind, one a peer.",
        "a trigger on seats; pay by the time between sitting and voting",
    ),
    Rule(
        "R11",
        "14 days to appeal, an answer in 72 h, a panel in 14 days; where nobody answers the worker wins.",
        "deadlines in the rows, decided by whoever reads next",
    ),
    Rule(
        "R12",
        "A rejection touches standing only once final; mass rejection freezes the batch.",
        "verdicts are rows of their own; more than a fifth of a week's work freezes the project's reviews",
        "a standing of people that counts verdicts",
    ),
    Rule(
        "R13",
        "Suspension is a human's decision with written reasons; what was earned is still paid.",
        "nobody is suspended by the system; payouts ask nothing of standing",
        "the decision, its reasons and a notice as rows",
    ),
    Rule(
        "R14",
        "Payout weekly, or on demand from 5 units.",
        "a saga whose steps may be repeated; clearing older than 5 days is an alarm (L9)",
        "withdrawal for 24 months where a region closes",
    ),
    Rule("R15", "A stopped project pays all claimed work.", "stopping ends new claims alone; holds stay till they end"),
    Rule(
        "R16",
        "Qualification by paid test, never by volume or approval rate alone.",
        "gates are a paid training, paid exams, and an expression over skills that has no word for volume",
    ),
    Rule(
        "R17",
        "Sensitive content is flagged before the claim, opt-in, capped a day.",
        "",
        "the flag, the consent and the cap",
        absent=True,
    ),
    Rule(
        "R18",
        "Each automated decision stores its inputs, version and weights.",
        "settlements and flags are made again from what was stored",
        "the worker's own reading of decisions about them",
    ),
    Rule(
        "R19",
        "Working-time caps warn and stop new claims; they never forfeit work.",
        "a cap on tasks held at once stops claims; late work is kept and offered back first",
        "caps on hours",
    ),
    Rule(
        "R20",
        "Time comes from open, heartbeat and submit; no screen, keystroke, camera or place.",
        "no such event or column; the browser is told to refuse them",
    ),
    Rule(
        "R21",
        "Pseudonymous to tenants: a different identifier for each.",
        "an HMAC of tenant and person; legs of payouts differ too",
        "a signed, portable standing",
    ),
    Rule(
        "R22",
        "Per tenant published: pay, rejection, overturn, delay (k >= 10).",
        "",
        "the published figures",
        absent=True,
    ),
    Rule(
        "R23",
        "A statement of earnings, and a full export in 24 h.",
        "every payment as CSV or JSON, in any span",
        "a PDF, and the export of everything else",
    ),
    Rule("R24", "The price is what the worker gets; the fee is a separate leg.", "separate transfers; legs must sum"),
)


@dataclass(frozen=True, slots=True)
class Offence:
    tenant: UUID | None
    detail: str


@dataclass(frozen=True, slots=True)
class Found:
    """A rule as it stands on this instance. looked_at: whether a query looks for what breaks it."""

    id: str
    state: State
    says: str
    held_by: str
    lacks: str
    looked_at: bool
    offences: list[Offence]


@dataclass(frozen=True, slots=True)
class Report:
    tenants: int
    rules: list[Found]
