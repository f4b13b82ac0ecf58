"""Runs 0001_foundation.sql."""

from alembic import op

from cupola.platform.pg.migrate import run_sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.get_bind().connection.driver_connection.execute(run_sql("0001_foundation.sql"))
