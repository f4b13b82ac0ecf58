"""What is absent from the HTTP interface, read from its own OpenAPI document: a list that could grow without bound."""

from __future__ import annotations

from typing import Any

from cupola.kernel import limits

# Arrays that need no pages, each with what bounds it. A new array that is not named here needs a limit and a cursor.
BOUNDED: dict[str, str] = {
    "/api/work/offers": "projects on offer to one person: at most one page is read",
    "/api/projects/{project}/offers": "versions of one project's offer",
    "/api/work/assignments": "pages that one person holds open",
    "/api/tasks/{task}/decisions": "settlements of one task: the newest hundred",
    "/api/audits": "releases of one tenant under audit at this moment",
    "/api/audits/{release}/items": "a queue: `limit` items that are still to be judged, in the order of the draw",
    "/api/work/panel": "appeals that one person may sit on: a hundred of each tenant with a panel open",
    "/api/operator/freezes": "what is frozen at this moment: the first hundred",
    "/api/work/openings": "as of the offers: at most one page is read",
    "/api/work/credentials": "one person's, of which fifty may wait: the newest two hundred",
    "/api/work/exams": "one person's attempts: the newest hundred of each tenant",
    "/api/operator/credentials": "a queue: the oldest two hundred that wait",
    "/api/exams": "one of each skill of a tenant: the first two hundred",
    "/api/work/statement": "10,000 payments a call, said in its description",
}


def unbounded_lists(openapi: dict[str, Any]) -> list[str]:
    """GET operations that answer with a list and take no `limit` with a maximum, or no `cursor`."""
    found = []
    for path, operations in openapi["paths"].items():
        get = operations.get("get")
        if get is None or path in BOUNDED or not _is_list(get, openapi):
            continue
        parameters = {one["name"]: one.get("schema", {}) for one in get.get("parameters", []) if one["in"] == "query"}
        most = parameters.get("limit", {}).get("maximum")
        if most is None or most > limits.MAX_LIST:
            found.append(f"GET {path} returns a list without a limit of at most {limits.MAX_LIST}")
        if "cursor" not in parameters:
            found.append(f"GET {path} returns a list without a cursor")
    return found


def _is_list(operation: dict[str, Any], openapi: dict[str, Any]) -> bool:
    content = operation.get("responses", {}).get("200", {}).get("content", {})
    schema = _resolved(content.get("application/json", {}).get("schema", {}), openapi)
    if schema.get("type") == "array":
        return "maxItems" not in schema
    items = _resolved(schema.get("properties", {}).get("items", {}), openapi)
    return items.get("type") == "array"


def _resolved(schema: dict[str, Any], openapi: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = openapi["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    return schema


# Members whose content is not ours to describe, each with why. Any other is described: types are made from this.
FREE: dict[str, str] = {
    "Import.source": "as it was asked for, with secrets left out",
    "Item.metadata": "the requester's own columns",
    "ItemView.metadata": "the requester's own columns",
    "PartView.meta": "the requester's own words about a part",
    "ItemIn.metadata": "the requester's own columns",
    "NewImport.source": "one form for each importer, told in its description",
    "Survey.ontology": "a proposal, as POST /api/ontologies takes it",
    "Settled.label": "what a stored decision comes to when it is made again: shown, not read",
    "TemplateView.example_items": "rows of files of whatever shape people have",
    "ValidationError.input": "whatever was sent",
}


def undescribed(openapi: dict[str, Any]) -> list[str]:
    """Members of the document's schemas that say no more than "an object" or nothing at all."""
    return sorted(
        f"{name}.{member}"
        for name, schema in openapi["components"]["schemas"].items()
        for member, held in schema.get("properties", {}).items()
        if _says_nothing(held) and f"{name}.{member}" not in FREE
    )


def _says_nothing(schema: dict[str, Any] | bool) -> bool:
    if isinstance(schema, bool):  # of a list of fixed length: nothing may follow
        return False
    if not schema.keys() - {"title", "description", "default"}:
        return True
    if schema.get("type") == "object" and schema.get("additionalProperties") is True and "properties" not in schema:
        return True
    return any(
        _says_nothing(inner) for inner in [*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else [])]
    )


def outside_addresses(openapi: dict[str, Any]) -> list[str]:
    """Servers that the document names: it must work wherever it is served."""
    return [f"the document names the server {one['url']}" for one in openapi.get("servers", []) if "//" in one["url"]]
