"""HEAD on every address of the API that answers GET: what watches an instance asks so, and what fetches files first."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

_OURS = ("/api/", "/v1/", "/v2/", "/blobs/", "/frames/")


class Heads:
    """ASGI middleware. A HEAD is answered as the GET is; the server below leaves the body out (RFC 9110, 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD" and scope["path"].startswith(_OURS):
            scope = {**scope, "method": "GET"}  # a copy: the server's own still says HEAD
        await self._app(scope, receive, send)
