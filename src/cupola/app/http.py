"""The HTTP application: routes of every domain, errors as problem+json, the browser app, strict headers."""

from __future__ import annotations

import functools
import importlib.resources
import json
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cupola import __version__
from cupola.app import asked, documents, edge, heads, health, instance, observe, static, turns
from cupola.appeals import api as appeals_api
from cupola.catalog import api as catalog_api
from cupola.catalog import reference_api
from cupola.catalog.video import api as video_api
from cupola.compat.scale import routes as scale_routes
from cupola.identity import api as identity_api
from cupola.identity import recognise
from cupola.kernel.errors import Kind, Problem
from cupola.ledger import api as ledger_api
from cupola.models import api as models_api
from cupola.ontology import api as ontology_api
from cupola.orders import api as orders_api
from cupola.payouts import api as payouts_api
from cupola.platform import blob_api, stream
from cupola.platform.pg.tx import met_another, trouble
from cupola.platform.runtime import Runtime
from cupola.platform.telemetry import logs
from cupola.platform.webhooks import api as webhooks_api
from cupola.quality import api as quality_api
from cupola.quality.opinions import api as opinions_api
from cupola.releases import api as releases_api
from cupola.routing import api as routing_api
from cupola.tasks import api as tasks_api
from cupola.tasks import work_api
from cupola.tasks.exams import api as exams_api
from cupola.tasks.handing_in import api as handing_in_api
from cupola.tasks.training import api as training_api
from cupola.templates import api as templates_api
from cupola.workforce.eligibility import api as eligibility_api
from cupola.workforce.profiles import api as profiles_api

log = logging.getLogger("cupola.http")

STATUS = {
    Kind.INVALID: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.TOO_LARGE: 413,
    Kind.UNSUPPORTED: 415,
    Kind.TOO_MANY: 429,
    Kind.UNAVAILABLE: 503,
}
TITLES = {
    400: "The request is not right",
    401: "Who are you?",
    403: "Not with this role",
    404: "Not found",
    405: "Not with this method",
    409: "Not in this state",
    413: "Too large",
    415: "Not in this form",
    429: "Too many",
    500: "Our mistake",
    503: "Not at the moment",
}
# Scripts come from here and from nowhere else; text from data is never run.
CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob: {images}; "
    "connect-src 'self'; font-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors "
    "'none'"
)


_NO_TEXT = "There was an error parsing the body"  # the framework's words for bytes that its JSON reader cannot take


def _json(body: dict[str, Any]) -> bytes:
    """JSON of an error, whatever it quotes: a lone surrogate from a request is escaped, not a second error."""
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError:
        return json.dumps(body, default=str).encode()


def problem_response(problem: Problem, status: int | None = None) -> Response:
    """A problem as application/problem+json (RFC 9457). status: where it is not its kind's."""
    status = status or STATUS[problem.kind]
    body: dict[str, Any] = {
        "type": f"urn:cupola:problem:{problem.code}",
        "title": TITLES.get(status, TITLES[STATUS[problem.kind]]),
        "status": status,
        "code": problem.code,
        "detail": problem.detail,
        "remedy": problem.remedy,
    }
    if problem.place:
        body["place"] = problem.place
    body.update(problem.extra)
    headers = {}
    if problem.kind in (Kind.UNAVAILABLE, Kind.TOO_MANY):
        headers["Retry-After"] = str(problem.extra.get("retry_after_s", 2))
    if problem.kind is Kind.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = 'Bearer realm="cupola"'
    return Response(_json(body), status, headers=headers, media_type="application/problem+json")


def _plain(status: int, code: str, detail: str, **extra: Any) -> Response:
    body = {
        "type": f"urn:cupola:problem:{code}",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "code": code,
        "detail": detail,
        **extra,
    }
    return Response(_json(body), status, media_type="application/problem+json")


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    if error.kind is Kind.UNAVAILABLE and met_another(error):
        return _raced(request, error)
    return problem_response(error)


def _raced(request: Request, error: Exception) -> Response:
    """What a check of ours saw a moment ago is no longer so: somebody else's request came between."""
    log.info("%s %s met another request: %s", request.method, request.url.path, error)
    return _plain(
        409,
        "raced",
        "Another request changed the same thing at the same moment; nothing of this one was done.",
        remedy="Load it again and repeat the request if it is still wanted.",
    )


async def _on_validation(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = [str(part) for part in first["loc"]]
    place = {"body": "/" + "/".join(where[1:]), "query": "?" + ".".join(where[1:])}.get(where[0], "/".join(where))
    return _plain(
        400,
        "request-invalid",
        str(first["msg"]),
        place=place,
        remedy="The address's body and parameters are described under /docs.",
        errors=[{"place": "/".join(map(str, e["loc"])), "detail": e["msg"]} for e in error.errors()[:20]],
    )


async def _on_http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error, edge.Refused):
        return problem_response(error.problem, error.status_code)
    if error.status_code == 400 and error.detail == _NO_TEXT:
        return _plain(400, "body-unreadable", "The body is no JSON in UTF-8.", remedy="Send JSON, encoded as UTF-8.")
    code = {404: "not-found", 405: "method-not-allowed"}.get(error.status_code, "http")
    response = _plain(error.status_code, code, str(error.detail), remedy="The addresses are listed under /docs.")
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    return response


async def _on_database(request: Request, error: Exception) -> Response:
    if isinstance(error, psycopg.errors.StatementTooComplex):
        return await _on_depth(request, error)
    if met_another(error) or isinstance(error, psycopg.IntegrityError | psycopg.errors.LockNotAvailable):
        return _raced(request, error)
    if (told := trouble(error)) is not None:
        return problem_response(told)
    if isinstance(error, psycopg.DataError):
        log.warning("%s %s sent what cannot be stored: %s", request.method, request.url.path, error)
        return _plain(
            400,
            "value-unstorable",
            "A value cannot be stored.",
            remedy="Remove NUL characters and numbers out of range.",
        )
    return await _on_bug(request, error)


async def _on_depth(request: Request, error: Exception) -> Response:
    """Data nested beyond what a decoder follows: thousands of brackets, which nothing of ours needs."""
    log.info("%s %s sent data nested too deeply", request.method, request.url.path)
    return _plain(
        400, "json-too-deep", "The data is nested too deeply.", remedy="Send it with fewer levels of brackets."
    )


async def _on_bug(request: Request, error: Exception) -> Response:
    log.exception("%s %s failed", request.method, request.url.path, exc_info=error)
    return _plain(
        500,
        "bug",
        "Something failed on our side; it is in the server's log.",
        remedy=f"Nothing of your data is lost. Tell the operator this number: {logs.request_id.get()}",
    )


class Bugs:
    """Answers what nothing else did, inside of what counts, numbers and guards each answer: a fault is one of them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except ClientDisconnect:  # nobody is there to be answered
            return
        except Exception as error:
            if begun:
                raise
            await (await _on_bug(Request(scope), error))(scope, receive, send)


class Headers:
    """Adds the security headers to every answer; plain ASGI, so that it costs next to nothing."""

    def __init__(self, app: ASGIApp, csp: str) -> None:
        self._app = app
        self._fixed = [
            (b"content-security-policy", csp.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"same-origin"),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), display-capture=()"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                have = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(header for header in self._fixed if header[0] not in have),
                ]
            await send(message)

        await self._app(scope, receive, with_headers)


def create_app(
    run: Runtime, *, background: Callable[[], Awaitable[Callable[[], Awaitable[None]]]] | None = None
) -> FastAPI:
    """The application over a runtime. background: started with it, returns how to stop it (the worker of `up`)."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await run.db.open()
        stop = await background() if background else None
        beat = await health.start(run, "server")
        try:
            yield
        finally:
            await stream.close_stream(app.state)
            await beat()
            if stop is not None:
                await stop()
            await run.db.close()

    app = FastAPI(
        title="Cupola",
        version=__version__,
        description="The open data foundry: raw data in, certified training data out, everyone who worked on it paid.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        dependencies=[Depends(asked.plainly)],
    )
    app.state.runtime = run
    app.state.authenticate = functools.partial(recognise.authenticate, run)
    for router in (
        work_api.router,  # matched in this order: what is asked for with every task, first
        health.router,
        observe.router,
        instance.router,
        identity_api.router,
        ledger_api.router,
        catalog_api.router,
        reference_api.router,
        video_api.router,
        ontology_api.router,
        templates_api.router,
        quality_api.router,
        opinions_api.router,
        models_api.router,
        tasks_api.router,
        training_api.router,
        exams_api.router,
        eligibility_api.router,
        profiles_api.router,
        appeals_api.router,
        payouts_api.router,
        handing_in_api.router,
        routing_api.router,
        releases_api.router,
        webhooks_api.router,
        stream.router,
        blob_api.router,
        orders_api.router,
        scale_routes.router,
    ):
        app.include_router(router)
    app.include_router(static.docs_router)
    app.mount("/", static.browser_app(_web_dir()))
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(psycopg.Error, _on_database)
    app.add_exception_handler(RecursionError, _on_depth)
    images = ""
    if run.settings.blobs_url:
        images = "https:"  # a bucket's own signed URLs
    app.add_middleware(Bugs)
    app.add_middleware(heads.Heads)
    app.add_middleware(edge.Edge, recognise=functools.partial(recognise.authenticate, run))
    app.add_middleware(turns.TakingTurns, answer=problem_response)
    app.add_middleware(Headers, csp=CSP.format(images=images).replace("blob: ;", "blob:;"))
    app.add_middleware(observe.Observe, each=os.environ.get("CUPOLA_LOG") == "json")
    app.openapi = functools.partial(_openapi, app)  # type: ignore[method-assign]  # FastAPI's documented way
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            openapi_version="3.1.0",
        )
        documents.describe(schema["components"]["schemas"])
        schema["components"].setdefault("securitySchemes", {}).update(
            {
                "key": {"type": "http", "scheme": "bearer", "description": "An API key or a contributor's token."},
                "session": {"type": "apiKey", "in": "cookie", "name": "cupola_session"},
            }
        )
        schema["security"] = [{"key": []}, {"session": []}]
        problem = {
            "type": "object",
            "required": ["type", "title", "status", "code", "detail"],
            "properties": {
                name: {"type": "integer" if name == "status" else "string"}
                for name in ("type", "title", "status", "code", "detail", "remedy", "place")
            },
        }
        schema["components"]["schemas"]["Problem"] = problem
        answer = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        for path in schema["paths"].values():
            for operation in path.values():
                responses = operation["responses"]
                responses.pop("422", None)
                for status in ("400", "401", "403", "404", "409", "413", "429", "503"):
                    responses.setdefault(status, {"description": TITLES[int(status)], "content": answer})
                if "requestBody" in operation or operation.get("operationId", "").endswith("_post"):
                    operation.setdefault("parameters", []).append(
                        {
                            "name": "Idempotency-Key",
                            "in": "header",
                            "required": False,
                            "schema": {"type": "string", "minLength": 1, "maxLength": 200},
                            "description": "The same key with the same request gets the first answer, for 7 days.",
                        }
                    )
        app.openapi_schema = schema
    return app.openapi_schema


def _web_dir() -> Path:
    return Path(str(importlib.resources.files("cupola"))) / "web" / "dist"
