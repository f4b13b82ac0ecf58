"""Which account of the machine runs the database, and which folders that account can reach.

Postgres refuses to run as root. When we are root, its programs run as an unprivileged account that already
exists; we give that account folders of ours and never change the mode of a folder that is not ours.
"""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from cupola.kernel.errors import Kind, Problem

USER_VARIABLE = "CUPOLA_POSTGRES_USER"
_CANDIDATES = ("cupola", "postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the machine. `switches` says that our process must step down to it."""

    name: str
    uid: int
    gid: int
    switches: bool

    def own(self, folder: Path) -> None:
        """Give one folder of ours, made by us, to this account (nothing above or below it)."""
        if self.switches:
            os.chown(folder, self.uid, self.gid, follow_symlinks=False)

    def blocked_at(self, folder: Path) -> Path | None:
        """The topmost folder on the way to `folder`, itself included, that this account cannot pass; else None.

        Judged by the mode bits; a folder that does not exist yet blocks nobody.
        """
        for step in (*reversed(folder.parents), folder):
            try:
                found = step.stat()
            except FileNotFoundError:
                return None
            except PermissionError:
                return step
            if not self._has(found, stat.S_IXUSR, stat.S_IXGRP, stat.S_IXOTH):
                return step
        return None

    def can_run(self, program: Path) -> bool:
        """Whether this account can reach and execute a program."""
        if self.blocked_at(program.parent) is not None:
            return False
        found = program.stat()
        return self._has(found, stat.S_IXUSR, stat.S_IXGRP, stat.S_IXOTH) and self._has(
            found, stat.S_IRUSR, stat.S_IRGRP, stat.S_IROTH
        )

    def _has(self, found: os.stat_result, user: int, group: int, other: int) -> bool:
        if not self.switches and os.geteuid() == self.uid:
            if found.st_uid == self.uid:
                return bool(found.st_mode & user)
            if found.st_gid == self.gid or found.st_gid in os.getgroups():
                return bool(found.st_mode & group)
            return bool(found.st_mode & other)
        if found.st_uid == self.uid:
            return bool(found.st_mode & user)
        if found.st_gid == self.gid:
            return bool(found.st_mode & group)
        return bool(found.st_mode & other)


def _named(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, switches=True)


def choose(existing_data: Path) -> Account:
    """The account that runs the database over `existing_data` (which need not exist).

    Not root: ourselves. Root: the owner of a cluster that is there already, else the account named by
    CUPOLA_POSTGRES_USER, else the first of cupola, postgres, nobody that the machine knows.
    Raises Problem where no such account can be had.
    """
    if os.geteuid() != 0:
        return _ourselves(existing_data)
    if existing_data.exists():
        uid = existing_data.stat().st_uid
        if uid != 0:
            try:
                entry = pwd.getpwuid(uid)
            except KeyError:
                raise Problem(
                    Kind.UNAVAILABLE,
                    "database-owner-unknown",
                    f"The database in {existing_data} belongs to user number {uid}, which this machine does not know.",
                    remedy=f"Create that user, or chown -R {existing_data} to one that exists.",
                ) from None
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, switches=True)
    wanted = os.environ.get(USER_VARIABLE)
    if wanted:
        account = _named(wanted)
        if account is None or account.uid == 0:
            raise Problem(
                Kind.INVALID,
                "database-user-unusable",
                f"{USER_VARIABLE}={wanted} names "
                + ("root, as whom Postgres refuses to run." if account else "no user of this machine."),
                remedy="Name an existing unprivileged user, or unset it.",
                place=USER_VARIABLE,
            )
        return account
    for name in _CANDIDATES:
        account = _named(name)
        if account is not None and account.uid != 0:
            return account
    raise Problem(
        Kind.UNAVAILABLE,
        "database-user-missing",
        "Postgres refuses to run as root, and this machine has none of the users " + ", ".join(_CANDIDATES) + ".",
        remedy="Run as an ordinary user, or make one with: useradd --system cupola",
    )


def _ourselves(existing_data: Path) -> Account:
    uid = os.geteuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        raise Problem(
            Kind.UNAVAILABLE,
            "database-user-unnamed",
            f"We run as user number {uid}, which has no name on this machine, and initdb insists on one.",
            remedy=f"Add a line for {uid} to /etc/passwd, or set CUPOLA_DATABASE_URL to a Postgres of your own.",
        ) from None
    try:
        owner = existing_data.stat().st_uid if existing_data.exists() else uid
    except PermissionError:
        owner = -1
    if owner != uid:
        raise Problem(
            Kind.UNAVAILABLE,
            "database-not-ours",
            f"The database in {existing_data} belongs to another user.",
            remedy="Run as the user who made it, or choose another data folder with --data.",
        )
    return Account(name, uid, os.getegid(), switches=False)
