"""Running processes."""

from __future__ import annotations

from cupola.app import serve
from cupola.app.commands.common import Data
from cupola.platform import settings as config


def up(*, data: Data = None, host: str | None = None, port: int | None = None, public_url: str | None = None) -> None:
    """Start everything in one process: the embedded database, the server and the worker.

    Parameters
    ----------
    host
        The address to listen on (default: 127.0.0.1).
    port
        The port to listen on (default: 8000).
    public_url
        The address people use, when it is another one.
    """
    settings = config.load(data, host=host, port=port, public_url=public_url)
    serve.run_server(settings, with_worker=True)


def serve_(
    *, data: Data = None, host: str | None = None, port: int | None = None, public_url: str | None = None
) -> None:
    """Start a server only; give it a database of your own in CUPOLA_DATABASE_URL and run `cupola worker` beside it."""
    serve.run_server(config.load(data, host=host, port=port, public_url=public_url), with_worker=False)


def worker(*, data: Data = None) -> None:
    """Start a worker only: events, imports, exports, webhooks, expiries. Run as many as you like."""
    serve.run_worker(config.load_beside(data))
