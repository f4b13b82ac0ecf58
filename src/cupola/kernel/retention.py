"""What is kept how long, and why. Each kind stands here once; `platform.sweeping` takes away what is older.

What is not in this table is kept for ever: judgements, transfers, settlements, offers, audits, certificates and
whatever a proof or a payment points at. An event goes only when all who hear events have heard it; a file only when no
row names it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind. kind: its name in `sweep` (schema/functions/sweep.sql); kept: so long after what `since` says.

    nobodys: rows that belong to no tenant. files: no rows, but what lies in the store of blobs.
    """

    kind: str
    kept: timedelta
    since: str
    why: str
    nobodys: bool = False
    files: bool = False


RULES = (
    Rule("answers", timedelta(days=7), "they were given", "a client that repeats a request does so within days"),
    Rule("drafts", timedelta(days=30), "their task ended", "nobody can submit them; their writer may look once more"),
    Rule("refusals", timedelta(days=90), "their import ended", "long enough to mend a source and to import it again"),
    Rule("models", timedelta(days=30), "a newer one came", "a process may still settle by the one before"),
    Rule("webhooks", timedelta(days=30), "they were made", "their log is looked at; the events themselves stay"),
    Rule("callbacks", timedelta(days=30), "they were made", "their log is looked at; the orders themselves stay"),
    Rule("sessions", timedelta(days=30), "they ended", "who was signed in is asked for within days", nobodys=True),
    Rule("beats", timedelta(days=1), "their last one", "a process that was killed could not say so", nobodys=True),
    Rule("jobs", timedelta(days=90), "they were given up", "long enough for an operator to look into it"),
    Rule("events", timedelta(days=400), "they happened", "a year is looked back on; what they led to stays"),
    Rule("exports", timedelta(days=90), "they were written", "the same release writes the same file again"),
    Rule("unused", timedelta(days=90), "they were handed in", "no label names them; who gave them had their time"),
    Rule(
        "files", timedelta(days=30), "they were put", "nothing names it; an upload is imported within days", files=True
    ),
)

BATCH = 500  # rows that one transaction takes away
MOST_BATCHES = 400  # of one kind of one tenant in one round: the next round goes on
SWEEP_EVERY_S = 3_600.0
FILES_EVERY_S = 86_400.0  # the store of blobs is listed for it
