"""The table of operations, and how a request finds its own.

Names in addresses may hold an escaped slash, so addresses are matched as they were sent, segment by segment.
"""

from __future__ import annotations

import logging
import urllib.parse
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from fastapi import APIRouter, Request, Response
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException

from cupola.compat.scale import attachments, batches, files, forms, projects, studio, tasks, team
from cupola.compat.scale.v2 import deliveries, work
from cupola.compat.scale.wire import Call, answer, refusal, refused
from cupola.kernel.errors import Kind, Problem, invalid
from cupola.platform.pg.tx import Conn, Role, reading
from cupola.platform.web import idempotency_key, kept, principal, read_body, runtime

log = logging.getLogger("cupola.scale")
router = APIRouter()
Handler = Callable[[Conn, Call], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: {name} in the pattern is one segment. raw: handles its own body and transaction."""

    method: str
    pattern: str
    handler: Callable[..., Awaitable[Any]]
    raw: bool = False
    open: bool = False  # for whoever holds a signed address
    keyed: bool = False  # takes an Idempotency-Key: its answer is kept, and holds no secret
    asks: frozenset[str] | None = None  # the names that its query may hold; None: whatever it holds is passed over

    @property
    def segments(self) -> list[str]:
        return self.pattern.strip("/").split("/")


def _of(*names: str) -> frozenset[str]:
    return frozenset(names)


_PROJECT, _BATCH, _PAGE = ("project_id", "project_name"), ("batch_id", "batch_name"), ("limit", "next_token")
_DELIVERED, _COMPLETED = ("delivered_after", "delivered_before"), ("completed_after", "completed_before")
_TASKS = _of(
    *("start_time", "end_time", "status", "type", "project", "batch", "limit", "next_token", *_COMPLETED),
    *("updated_after", "updated_before", "customer_review_status", "tags", "unique_id"),
    *("include_attachment_url", "limited_response"),
)
_BATCHES = _of("start_time", "end_time", "exclude_archived", "status", "project", "limit", "offset")

V1: tuple[Operation, ...] = (
    Operation("POST", "/v1/task/{type}", tasks.create, keyed=True),
    Operation("GET", "/v1/task/{task}", tasks.read),
    Operation("POST", "/v1/task/{task}/cancel", tasks.cancel),
    Operation("POST", "/v1/task/{task}/audit", tasks.audit),
    Operation("POST", "/v1/task/{task}/unique_id", tasks.set_unique_id),
    Operation("DELETE", "/v1/task/{task}/unique_id", tasks.clear_unique_id),
    Operation("POST", "/v1/task/{task}/setMetadata", tasks.set_metadata),
    Operation("POST", "/v1/task/{task}/tags", tasks.set_tags),
    Operation("PUT", "/v1/task/{task}/tags", tasks.add_tags),
    Operation("DELETE", "/v1/task/{task}/tags", tasks.delete_tags),
    Operation("POST", "/v1/task/{task}/priority", tasks.set_priority),
    Operation("GET", "/v1/tasks", tasks.listed, asks=_TASKS),
    Operation("POST", "/v1/evaluation_tasks/{type}", tasks.create_evaluation, keyed=True),
    Operation("POST", "/v1/training_tasks/{type}", tasks.create_training, keyed=True),
    Operation("POST", "/v1/batches", batches.create, keyed=True),
    Operation("GET", "/v1/batches", batches.listed, asks=_BATCHES),
    Operation("GET", "/v1/batches/{name}", batches.read),
    Operation("GET", "/v1/batches/{name}/status", batches.status),
    Operation("POST", "/v1/batches/{name}/finalize", batches.finalize),
    Operation("POST", "/v1/batches/{name}/setMetadata", batches.set_metadata),
    Operation("POST", "/v1/projects", projects.create, keyed=True),
    Operation("GET", "/v1/projects", projects.listed, asks=_of("archived")),
    Operation("GET", "/v1/projects/{name}", projects.read),
    Operation("POST", "/v1/projects/{name}/setParams", projects.set_params),
    Operation("GET", "/v1/projects/{name}/taskTemplates", projects.template),
    Operation("POST", "/v1/files/upload", files.upload, raw=True),
    Operation("POST", "/v1/files/import", files.fetch_later, keyed=True),
    Operation("GET", "/v1/files/answers/{sha256}", attachments.handed_in, raw=True),
    Operation("GET", "/v1/teams", team.team),
    Operation("POST", "/v1/teams/invite", team.invite),
    Operation("POST", "/v1/teams/set_role", team.set_role),
    Operation("POST", "/v1/teams/remove", team.remove),
    Operation("GET", "/v1/studio/assignments", studio.assignments),
    Operation("POST", "/v1/studio/assignments/add", studio.assign),
    Operation("POST", "/v1/studio/assignments/remove", studio.unassign),
    Operation("GET", "/v1/studio/projects/{project}/groups", studio.groups),
    Operation("POST", "/v1/studio/projects/{project}/groups", studio.create_group),
    Operation("PUT", "/v1/studio/projects/{project}/groups/{group}", studio.change_group),
    Operation("GET", "/v1/studio/batches", studio.batches),
    Operation("PUT", "/v1/studio/batches/{batch}", studio.give),
    Operation("POST", "/v1/studio/batches/set_priorities", studio.set_priorities),
    Operation("POST", "/v1/studio/batches/reset_priorities", studio.reset_priorities),
    Operation("GET", "/v1/attachments/{tenant}/{sha256}", attachments.serve, raw=True, open=True),
)
V2: tuple[Operation, ...] = (
    Operation("GET", "/v2/projects", work.list_projects, asks=_of("created_after", "created_before")),
    Operation("GET", "/v2/project", work.read_project),
    Operation(
        "GET",
        "/v2/batches",
        work.list_batches,
        asks=_of(*_PROJECT, *_PAGE, *_COMPLETED, "status", "created_after", "created_before", "expand"),
    ),
    Operation("GET", "/v2/batch", work.read_batch),
    Operation("POST", "/v2/batch", work.create_batch, keyed=True),
    Operation("POST", "/v2/batch/finalize", work.finalize),
    Operation("POST", "/v2/batch/pause", work.pause),
    Operation("POST", "/v2/batch/resume", work.resume),
    Operation("POST", "/v2/batch/cancel", work.cancel),
    Operation("POST", "/v2/batch/metadata", work.batch_metadata),
    Operation(
        "GET",
        "/v2/tasks",
        work.list_tasks,
        asks=_of(*_PROJECT, *_BATCH, *_PAGE, *_COMPLETED, "status", "expand", "opts"),
    ),
    Operation("GET", "/v2/task", work.read_task),
    Operation("POST", "/v2/task/metadata", work.task_metadata),
    Operation("POST", "/v2/task/chat", work.create_chat, keyed=True),
    Operation("GET", "/v2/annotation", work.read_annotation),
    Operation("GET", "/v2/schema", work.read_schema),
    Operation("GET", "/v2/deliveries", deliveries.listed, asks=_of(*_PROJECT, *_DELIVERED, "expand")),
    Operation("GET", "/v2/delivery", deliveries.read),
    Operation("GET", "/v2/delivery/tasks", deliveries.rows),
    Operation("GET", "/v2/datasets", deliveries.datasets),
    Operation("GET", "/v2/datasets/deliveries", deliveries.dataset_deliveries),
    Operation("GET", "/v2/datasets/delivery", deliveries.dataset_delivery),
    Operation("GET", "/v2/datasets/tasks", deliveries.dataset_tasks),
    Operation("GET", "/v2/datasets/task", deliveries.dataset_task),
    Operation("GET", "/v2/datasets/task/{task}/response_url/{attachment}", deliveries.response_url),
)
OPERATIONS = V1 + V2


def matched(segments: list[str], operation: Operation) -> dict[str, str] | None:
    """The names in an address, or None where it is another operation's."""
    wanted = operation.segments
    if len(wanted) != len(segments):
        return None
    names: dict[str, str] = {}
    for have, want in zip(segments, wanted, strict=True):
        if want.startswith("{"):
            names[want[1:-1]] = have
        elif have != want:
            return None
    return names


def sent_segments(request: Request) -> list[str]:
    """The address as it was sent, each segment unescaped by itself. Raises Problem (INVALID) for a broken escape."""
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    try:
        text = raw.split(b"?")[0].decode("ascii")
        # clients whose address ends with a slash write two of them
        return [urllib.parse.unquote(part, errors="strict") for part in text.split("/") if part] or [""]
    except UnicodeDecodeError as error:
        raise invalid("path-invalid", "The address is not escaped as UTF-8.", place="path") from error


async def dispatch(request: Request) -> Response:
    """Find the operation, recognise the key, run it in one transaction, and answer in the clients' words."""
    try:
        segments = sent_segments(request)
        version = 2 if segments[0] == "v2" else 1
        found = [(one, names) for one in OPERATIONS if (names := matched(segments, one)) is not None]
        fitting = [(one, names) for one, names in found if one.method == request.method]
        if not fitting:
            return refusal(404, "There is no such operation.")
        operation, names = fitting[0]
        call = await _call(request, operation, names, version)
        if operation.asks is not None:
            call.only(operation.asks)
        if operation.raw:
            made = await operation.handler(call)
        else:
            key = idempotency_key(request) if operation.keyed else None
            async with call.run.db.tx(Role.APP, tenant=call.tenant) as conn:
                made = await (_once(conn, call, operation, key) if key else operation.handler(conn, call))
        return made if isinstance(made, Response) else answer(made)
    except Problem as problem:
        return refused(problem)
    except HTTPException as error:  # a broken multipart body
        return refusal(400, str(error.detail))
    except psycopg.DataError as error:
        log.warning("%s %s sent what cannot be stored: %s", request.method, request.url.path, error)
        return refusal(400, "A value cannot be stored. Remove U+0000 and numbers out of range.")
    except ValueError as error:
        if isinstance(error, UnicodeError):
            return refusal(400, "The request holds text that is not UTF-8.")
        raise


async def _once(conn: Conn, call: Call, operation: Operation, key: str) -> Response:
    """Answer a request with an Idempotency-Key as the first time. Raises Problem (INVALID) for a key used otherwise."""
    asked = f"{call.request.method} {call.request.scope['path']}?{call.request.url.query}\n".encode() + call.body
    try:
        status, body = await kept(
            conn, call.tenant, call.principal, key, asked, lambda: operation.handler(conn, call), 200
        )
    except Problem as problem:
        if problem.code != "idempotency-key-reused":
            raise
        # a 409 would send the clients looking for a task with this unique_id
        raise invalid(problem.code, problem.detail, place="Idempotency-Key", remedy=problem.remedy) from problem
    return Response(body, status, media_type="application/json")


async def _call(request: Request, operation: Operation, names: dict[str, str], version: int) -> Call:
    run = runtime(request)
    if operation.open:
        who_tenant, world, name = None, "live", ""
    else:
        if "authorization" not in request.headers:
            raise Problem(Kind.UNAUTHENTICATED, "unauthenticated", "An API key is needed.", remedy="Send your key.")
        who = await principal(request)
        if who.tenant is None:
            raise Problem(Kind.UNAUTHENTICATED, "unauthenticated", "This is not a tenant's API key.", remedy="")
        who_tenant, world, name = who.tenant, who.world, who.name
        reading.set(who.reader)  # what changes an order answers with all of it
    body = b"" if operation.raw else await read_body(request)
    if request.headers.get("content-type", "").startswith(forms.MEDIA_TYPE):
        body = forms.as_json(body)
    return Call(request, run, who_tenant or UUID(int=0), world, name, version, names, body)


class Anything(Convertor[str]):
    """The rest of an address, whatever it holds: a name may have a line break."""

    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("anything", Anything())
for _prefix in ("/v1", "/v2", "//v1", "//v2"):
    router.add_api_route(
        _prefix + "/{rest:anything}",
        dispatch,
        methods=["GET", "POST", "PUT", "DELETE", "PATCH"],
        include_in_schema=False,
        response_model=None,
    )
