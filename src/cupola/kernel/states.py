"""The words of what a row holds as a small number: one table, which SQL and Python both read.

The code of a word is its place in its row, for ever: a new word goes to the end. SQL writes `{task.settled}` where the
number is meant, in the functions of the database as in every `store.py`, and gets a literal, so that a partial index
still fits. Python takes a code by `TASK.index("settled")`; a word that is not in the table ends the start.
"""

from __future__ import annotations

import re
from typing import Final, Literal, LiteralString, get_args

TaskWord = Literal["open", "collecting", "escalated", "settled", "cancelled"]
TASK: Final[tuple[TaskWord, ...]] = get_args(TaskWord)
PAGE: Final = ("claimed", "submitted", "returned", "expired")
LEASE: Final = ("open", "paid", "returned", "expired", "rejected")  # a page and its leases end by the same code
SHOWN: Final = (*LEASE, "waiting")  # of a lease, to its holder; waiting: open, and its work is under review
INVITE: Final = ("waiting", "asked", "answered", "lapsed")
ORDER: Final = ("pending", "completed", "canceled", "error")
REVIEW: Final = ("pending", "accepted", "fixed", "commented", "rejected")
ROLE: Final = ("production", "evaluation", "training")
SubmissionWord = Literal["waiting", "accepted", "rejected", "refused"]  # rejected: not yet for good
SUBMISSION: Final[tuple[SubmissionWord, ...]] = get_args(SubmissionWord)
APPEAL: Final = ("filed", "panel", "upheld", "overturned")  # upheld, overturned: the rejection was
# empty: nothing was gathered; sent: committed before anything leaves
PayoutWord = Literal["gathering", "created", "sent", "paid", "returned", "empty"]
PAYOUT: Final[tuple[PayoutWord, ...]] = get_args(PayoutWord)
CredentialWord = Literal["claimed", "verified", "refused", "revoked"]
CREDENTIAL: Final[tuple[CredentialWord, ...]] = get_args(CredentialWord)
AttemptWord = Literal["open", "passed", "failed", "left"]  # left: given back, or never finished
ATTEMPT: Final[tuple[AttemptWord, ...]] = get_args(AttemptWord)
# of a task of a batch that a model may settle: sample and watched are for people alone; left is left to people
ACCEPTING: Final = ("batch", "sample", "settled", "watched", "left")
BATCH: Final = ("staging", "in_progress", "completed", "paused", "cancelled")

THINGS: Final[dict[LiteralString, tuple[LiteralString, ...]]] = {
    "task": TASK,
    "page": PAGE,
    "lease": LEASE,
    "shown": SHOWN,
    "invite": INVITE,
    "order": ORDER,
    "review": REVIEW,
    "role": ROLE,
    "batch": BATCH,
    "accepting": ACCEPTING,
    "payout": PAYOUT,
    "submission": SUBMISSION,
    "appeal": APPEAL,
    "credential": CREDENTIAL,
    "attempt": ATTEMPT,
}
_CODES: tuple[LiteralString, ...] = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
_LEFT = re.compile(r"\{\w+\.\w+\}")


def filled(text: LiteralString) -> LiteralString:
    """SQL with the code in the place of each word. Raises ValueError for a word that is not in the table."""
    if "{" not in text:
        return text
    for thing, words in THINGS.items():
        if "{" + thing + "." in text:
            for word, code in zip(words, _CODES, strict=False):
                text = text.replace("{" + thing + "." + word + "}", code)
    left = _LEFT.search(text)
    if left:
        raise ValueError(f"{left[0]} is no word of kernel.states: {text}")
    return text
