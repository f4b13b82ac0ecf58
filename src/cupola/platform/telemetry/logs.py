"""Logs: for a person, or one JSON object a line (CUPOLA_LOG=json), each with the request it belongs to."""

from __future__ import annotations

import json
import logging
import os
import re
from contextvars import ContextVar
from datetime import UTC, datetime

request_id: ContextVar[str] = ContextVar("request_id", default="")
_given = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "request_id"}


def usable(text: str) -> bool:
    """May a request keep the identifier that a proxy gave it?"""
    return _given.match(text) is not None


class _WithRequest(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get() or "-"
        return True


class _InUtc(logging.Formatter):
    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class AsJson(_InUtc):
    """One object a line: at (RFC 3339), level, logger, message, request_id, what stands in `extra`, the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": self.formatTime(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (known := getattr(record, "request_id", "-")) != "-":
            line["request_id"] = known
        line.update({name: value for name, value in vars(record).items() if name not in _OWN})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def begin(form: str | None = None) -> None:
    """Set the process's logging up. form: "json" or "text"; without it CUPOLA_LOG decides."""
    form = form or os.environ.get("CUPOLA_LOG", "text")
    handler = logging.StreamHandler()
    handler.addFilter(_WithRequest())
    if form == "json":
        formatter: logging.Formatter = AsJson()
    else:
        formatter = _InUtc("%(asctime)s %(levelname)s %(name)s [%(request_id)s]: %(message)s")
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("cupola").setLevel(logging.INFO)
    # the pools tell of every connection that a restart of Postgres costs; we tell once, as a problem
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
