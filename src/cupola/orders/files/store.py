"""SQL of files that orders refer to."""

from __future__ import annotations

from uuid import UUID

from cupola.orders.files.model import File
from cupola.platform.pg.statement import Command, Scalar, Statement

_FILE = (
    "id, asset, url, name, reference, projects, media_type, bytes, metadata, error, created_at, updated_at "
    "FROM order_file"
)
ADD = Command(
    "INSERT INTO order_file (tenant, id, asset, url, name, reference, projects, media_type, bytes, metadata, "
    "created_at, updated_at) VALUES (%(tenant)s, %(id)s, %(asset)s::bytea, %(url)s, %(name)s, %(reference)s, "
    "%(projects)s::text[], %(media_type)s, %(bytes)s, %(metadata)s, %(now)s, %(now)s)"
)
FILE = Statement(File, "SELECT " + _FILE + " WHERE tenant = %(tenant)s AND id = %(id)s")
FILES = Statement(File, "SELECT " + _FILE + " WHERE tenant = %(tenant)s AND id = ANY (%(ids)s::uuid[])")
FETCHED = Command(
    "UPDATE order_file SET asset = %(asset)s, bytes = %(bytes)s, media_type = %(media_type)s, error = NULL, "
    "updated_at = %(now)s WHERE tenant = %(tenant)s AND id = %(id)s"
)
FAILED = Command(
    "UPDATE order_file SET error = %(error)s, updated_at = %(now)s WHERE tenant = %(tenant)s AND id = %(id)s"
)
EXISTS = Scalar(UUID, "SELECT id FROM order_file WHERE tenant = %(tenant)s AND id = %(id)s")
