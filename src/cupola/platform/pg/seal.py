"""The seal: what the instance's secret leaves in its database, so that another secret is noticed before it harms."""

from __future__ import annotations

import psycopg

from cupola.kernel.errors import Kind, Problem
from cupola.platform.pg import store


def check(admin_url: str, seal: bytes) -> None:
    """Hold `seal` against the one kept in the database. A database without one passes: `keep` comes after.

    Raises Problem("secret-other") when it was made with another secret.
    """
    with psycopg.connect(admin_url, autocommit=True) as conn:
        found = store.seal(conn)
    if found is not None and found != seal:
        raise Problem(
            Kind.CONFLICT,
            "secret-other",
            "This database belongs to an instance with another secret.",
            remedy="Give the secret it was made with (the file `secret` of its data folder, or CUPOLA_SECRET); a "
            "backup holds it. With another one contributors would be strangers and signatures false.",
        )


def keep(admin_url: str, seal: bytes) -> None:
    """Write the seal where there is none yet."""
    with psycopg.connect(admin_url, autocommit=True) as conn:
        store.keep_seal(conn, seal)
