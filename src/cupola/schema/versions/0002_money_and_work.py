"""Runs 0002_money_and_work.sql."""

from alembic import op

from cupola.platform.pg.migrate import run_sql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.get_bind().connection.driver_connection.execute(run_sql("0002_money_and_work.sql"))
