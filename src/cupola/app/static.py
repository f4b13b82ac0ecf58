"""The built browser app and the API's documentation, both from this machine."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from cupola.app import docs_page

docs_router = APIRouter(include_in_schema=False)

_MISSING = """<!doctype html><meta charset="utf-8"><title>Cupola</title>
<body style="font:16px system-ui;max-width:40rem;margin:4rem auto;line-height:1.6">
<h1>The server runs; the browser app is not built.</h1>
<p>A wheel carries it. In a checkout, build it once with <code>make web</code> and load this page again.
The API works without it: <a href="/docs">documentation</a>.</p>"""


class BrowserApp(StaticFiles):
    """Files of the built app; any other address that a person may type is the app's own to route."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            wants_page = scope["method"] in ("GET", "HEAD") and "." not in path.rsplit("/", 1)[-1]
            if (
                error.status_code != 404
                or path.startswith(("api/", "v1/", "v2/", "blobs/", "frames/"))
                or not wants_page
            ):
                raise
            response = await super().get_response("index.html", scope)
        if path.startswith("assets/"):
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"  # named by their content
        else:
            response.headers["Cache-Control"] = "no-cache"
        return response


class Missing:
    """Stands in for the browser app where it was not built."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path != "/" and ("." in path or path.startswith(("/api/", "/v1/", "/v2/"))):
            raise HTTPException(404)
        await HTMLResponse(_MISSING)(scope, receive, send)


def browser_app(folder: Path) -> BrowserApp | Missing:
    return BrowserApp(directory=folder, html=True) if (folder / "index.html").exists() else Missing()


@docs_router.get("/docs")
async def get_docs(request: Request) -> Response:
    """Every address, its parameters and answers, as one page without scripts."""
    return HTMLResponse(docs_page.render(request.app.openapi()))
