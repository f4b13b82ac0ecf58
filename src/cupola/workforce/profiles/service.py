"""Verbs of profiles and credentials. Nobody verifies their own; a document lies sealed under the instance's secret."""

from __future__ import annotations

import base64
import hashlib
from datetime import date
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken

from cupola.kernel import clock, ids, states
from cupola.kernel.errors import conflict, forbidden, invalid, not_found
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime
from cupola.workforce.eligibility.model import CredentialKind, key
from cupola.workforce.profiles import model, store
from cupola.workforce.profiles.model import Claimed, Credential, Profile

SHOWN = 200


def _seal(run: Runtime) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(run.settings.derive("documents of credentials")))


def _view(row: store.CredentialRow) -> Credential:
    return Credential(
        row.id, row.kind, row.subject, row.issuer, states.CREDENTIAL[row.state], row.verifier, row.reason,
        row.issued_on, row.expires_on, row.document_name, row.at, row.decided_at,
    )  # fmt: skip


def _claimed(row: store.ClaimedRow) -> Claimed:
    return Claimed(
        row.id, row.kind, row.subject, row.issuer, states.CREDENTIAL[row.state], row.verifier, row.reason,
        row.issued_on, row.expires_on, row.document_name, row.at, row.decided_at, row.name, row.email,
    )  # fmt: skip


# ---------------------------------------------------------------- the person's side
async def profile(run: Runtime, person: UUID) -> Profile:
    async with run.db.tx(Role.OPS) as conn:
        return await store.PROFILE.maybe(conn, person=person) or Profile([], [], None)


async def set_profile(run: Runtime, person: UUID, said: Profile) -> Profile:
    """Say who one is to the work. It opens and closes offers at once; nobody but the person reads it."""
    async with run.db.tx(Role.OPS) as conn:
        await store.PROFILE_SET.run(
            conn,
            person=person,
            languages=said.languages,
            fields=said.fields,
            country=said.country,
            now=clock.now(),
        )
    return said


async def credentials(run: Runtime, person: UUID) -> list[Credential]:
    """One's own, the newest first; those of a list that named one's address too."""
    async with run.db.tx(Role.OPS) as conn:
        return [_view(row) for row in await store.MINE.all(conn, person=person, limit=SHOWN)]


async def claim(
    run: Runtime,
    person: UUID,
    kind: CredentialKind,
    subject: str,
    issuer: str,
    issued_on: date | None,
    expires_on: date | None,
) -> Credential:
    """Say that one has a credential; it opens nothing before somebody named has verified it."""
    model.dates(issued_on, expires_on, "/expires_on")
    named = key(subject)
    if not 1 <= len(named) <= 100:
        raise invalid("credential-subject", "The subject has 1 to 100 characters.", place="/subject")
    made = ids.uuid7()
    async with run.db.tx(Role.OPS) as conn:
        if await store.COUNT.one(conn, person=person) >= model.MAX_CREDENTIALS:
            raise conflict(
                "credentials-waiting",
                f"{model.MAX_CREDENTIALS} of yours wait to be looked at.",
                remedy="Wait for them.",
            )
        await store.CLAIM.run(
            conn,
            id=made,
            person=person,
            kind=kind,
            subject=named,
            issuer=issuer.strip(),
            issued_on=issued_on,
            expires_on=expires_on,
            now=clock.now(),
        )
        return _view(await store.ONE.one(conn, id=made))


async def add_document(run: Runtime, person: UUID, credential: UUID, name: str, content: bytes) -> Credential:
    """Hand in the document of a claim. Raises Problem: INVALID for its form; NOT_FOUND for one that is not theirs, or
    was decided."""
    media = model.media_of(content)
    async with run.db.tx(Role.OPS) as conn:
        kept = await store.DOCUMENT_SET.run(
            conn,
            id=credential,
            person=person,
            document=_seal(run).encrypt(content),
            name=name[:200],
            media=media,
            sha256=hashlib.sha256(content).digest(),
        )
        if not kept:
            raise not_found("credential that waits")
        return _view(await store.ONE.one(conn, id=credential))


# ---------------------------------------------------------------- those who verify
async def waiting(run: Runtime) -> list[Claimed]:
    """What people claim and nobody has looked at, the oldest first."""
    async with run.db.tx(Role.OPS) as conn:
        return [_claimed(row) for row in await store.WAITING.all(conn, limit=SHOWN)]


async def document(run: Runtime, credential: UUID) -> tuple[str, str, bytes]:
    """(name, media type, content). Raises Problem: NOT_FOUND; CONFLICT where the instance's secret has changed."""
    async with run.db.tx(Role.OPS) as conn:
        row = await store.DOCUMENT.maybe(conn, id=credential)
    if row is None:
        raise not_found("document")
    try:
        return row.document_name, row.document_media, _seal(run).decrypt(bytes(row.document))
    except InvalidToken as error:
        raise conflict(
            "document-sealed",
            "This document cannot be opened: the instance's secret has changed.",
            remedy="Have the person hand it in again.",
        ) from error


async def decide(
    run: Runtime,
    by: UUID,
    credential: UUID,
    state: states.CredentialWord,
    verifier: str,
    reason: str,
    expires_on: date | None,
) -> Claimed:
    """Verify or refuse a claim, or revoke what was verified, with who looked and why.

    Raises Problem: NOT_FOUND; FORBIDDEN for one's own; INVALID; CONFLICT where it has been decided otherwise.
    """
    if state == "verified" and not verifier.strip():
        raise invalid("verifier-missing", "Who verified it is named.", place="/verifier", remedy="Name who looked.")
    if state in ("refused", "revoked") and not reason.strip():
        raise invalid("reason-missing", "The person is told why.", place="/reason", remedy="Say why.")
    was = ["verified"] if state == "revoked" else ["claimed"]
    async with run.db.tx(Role.OPS) as conn:
        row = await store.ONE.maybe(conn, id=credential)
        if row is None:
            raise not_found("credential")
        if any(one.id == credential for one in await store.MINE.all(conn, person=by, limit=SHOWN)):
            raise forbidden("Nobody verifies a credential of their own.", remedy="Ask another operator.")
        model.dates(row.issued_on, expires_on, "/expires_on")
        done = await store.DECIDE.run(
            conn,
            id=credential,
            state=states.CREDENTIAL.index(state),
            was=[states.CREDENTIAL.index(one) for one in was],
            verifier=verifier.strip(),
            reason=reason.strip(),
            expires_on=expires_on,
            now=clock.now(),
            by=by,
        )
        if not done:
            raise conflict(
                "credential-decided", f"It is {states.CREDENTIAL[row.state]} already.", remedy="Load it again."
            )
        return _claimed(await store.ONE.one(conn, id=credential))


async def take_list(run: Runtime, by: UUID, content: bytes) -> int:
    """Take a list of credentials that were verified elsewhere; they wait for whoever comes with these addresses.

    Returns how many lines it had. Raises Problem(INVALID) naming the line; nothing is taken then.
    """
    lines = list({(one.email, one.kind, one.subject): one for one in model.read_list(content)}.values())
    async with run.db.tx(Role.OPS) as conn:
        await store.LIST.run(
            conn,
            ids=[ids.uuid7() for _ in lines],
            emails=[one.email for one in lines],
            kinds=[one.kind for one in lines],
            subjects=[one.subject for one in lines],
            issuers=[one.issuer for one in lines],
            verifiers=[one.verifier for one in lines],
            issued=[one.issued_on for one in lines],
            expires=[one.expires_on for one in lines],
            now=clock.now(),
            by=by,
        )
    return len(lines)
