"""Who works on what: teammates, assignments to projects, groups and the batches they are given."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from cupola.kernel.errors import invalid

TeamRole = Literal["labeler", "member", "manager", "admin"]
TEAM_ROLES: tuple[TeamRole, ...] = ("labeler", "member", "manager", "admin")
MAX_EMAILS = 1_000
_email = re.compile(r"[^@\s\x00]{1,200}@[^@\s\x00]{1,118}\Z")


@dataclass(frozen=True, slots=True)
class Assigned:
    email: str
    project: str


@dataclass(frozen=True, slots=True)
class Group:
    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class GroupMember:
    grp: UUID
    id: UUID
    email: str


@dataclass(frozen=True, slots=True)
class StudioBatch:
    """A batch with its place in the order of work. position 1 is worked on first; None: by age."""

    id: UUID
    name: str
    project: UUID
    project_name: str
    kind: str
    position: int | None
    total: int
    completed: int
    groups: list[str]


def spelled(values: list[str]) -> dict[str, str]:
    """{in lower case: as it was written}."""
    return {value.lower(): value for value in values}


def emails(values: list[str], place: str) -> list[str]:
    """Lower-cased, each once. Raises Problem (INVALID) naming the entry."""
    if not 1 <= len(values) <= MAX_EMAILS:
        raise invalid("emails-count", f"{place}: names 1 to {MAX_EMAILS} addresses", place=place)
    found = []
    for index, value in enumerate(values):
        if not _email.match(value):
            raise invalid("email-invalid", f"{place}[{index}]: {value[:100]!r} is no e-mail address", place=place)
        found.append(value.lower())
    return list(dict.fromkeys(found))
