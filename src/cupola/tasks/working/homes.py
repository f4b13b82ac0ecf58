"""Where projects on offer and pages live: remembered, so that a submit needs no look-up.

What is remembered never changes of a project or a page. A gateway's transaction asks once; each process remembers for
itself, up to a bound.
"""

from __future__ import annotations

from uuid import UUID

from cupola.kernel.errors import not_found
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime
from cupola.tasks.working import store
from cupola.tasks.working.store import Home, ProjectHome

_projects: dict[UUID, ProjectHome] = {}
_pages: dict[tuple[UUID, UUID], Home] = {}
_KEEP = 50_000


async def of_project(run: Runtime, person: UUID, project: UUID) -> ProjectHome:
    home = _projects.get(project)
    if home is None:
        async with run.db.tx(Role.GATEWAY, person=person) as conn:
            home = await store.PROJECT_HOME.maybe(conn, id=project)
        if home is None:
            raise not_found("project on offer")
        _bound(_projects)
        _projects[project] = home
    return home


def remember(person: UUID, assignment: UUID, home: Home) -> None:
    _bound(_pages)
    _pages[person, assignment] = home


async def of_page(run: Runtime, person: UUID, assignment: UUID) -> Home:
    """Where this person's page lives. Raises Problem(NOT_FOUND) for another person's page too."""
    home = _pages.get((person, assignment))
    if home is not None:
        return home
    async with run.db.tx(Role.GATEWAY, person=person) as conn:
        tenants = await store.TENANTS_OF.all(conn, person=person)
    for place in tenants:
        async with run.db.tx(Role.GATEWAY, tenant=place.tenant, worker=place.worker, person=person) as conn:
            home = await store.ASSIGNMENT_HOME.maybe(conn, tenant=place.tenant, worker=place.worker, id=assignment)
        if home is not None:
            remember(person, assignment, home)
            return home
    raise not_found("assignment")


def _bound(cache: dict[UUID, ProjectHome] | dict[tuple[UUID, UUID], Home]) -> None:
    if len(cache) >= _KEEP:
        cache.clear()
