"""Requests that survive a server that is away: retried with one idempotency key, so that nothing doubles."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from cupola.kernel import clock, ids
from cupola.kernel.errors import Kind, Problem, invalid

RETRIES = 8
_AGAIN = (429, 503)


_KINDS = {
    401: Kind.UNAUTHENTICATED,
    403: Kind.FORBIDDEN,
    404: Kind.NOT_FOUND,
    409: Kind.CONFLICT,
    413: Kind.TOO_LARGE,
    415: Kind.UNSUPPORTED,
    429: Kind.TOO_MANY,
}


class ApiError(Problem):
    """The server refused: `status`, `code`, what happened, and what to do."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        kind = _KINDS.get(status, Kind.UNAVAILABLE if status >= 500 else Kind.INVALID)
        super().__init__(
            kind,
            str(body.get("code", "error")),
            str(body.get("detail", body)),
            remedy=str(body.get("remedy", "")),
            place=str(body.get("place", "")),
        )
        self.status = status
        self.body = body

    def __str__(self) -> str:
        return " ".join(part for part in (f"{self.status} {self.code}:", self.detail, self.remedy) if part)


class Client:
    """One connection pool to one server as one principal. `token`: an API key or a contributor's token."""

    def __init__(self, url: str, token: str | None = None, *, timeout_s: float = 60.0) -> None:
        headers = {"Authorization": _bearer(token)} if token else {}
        self.url = url.rstrip("/")
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=timeout_s)

    def sign_in(self, email: str, password: str) -> dict[str, Any]:
        """Open a session; later requests carry its cookie and its CSRF token."""
        session: dict[str, Any] = self.post("/api/session", {"email": email, "password": password})
        self._http.headers["X-CSRF-Token"] = session["csrf"]
        return session

    def become(self, token: str) -> None:
        """Speak as another principal from now on, over the same connections."""
        self._http.headers["Authorization"] = _bearer(token)

    def act_for(self, tenant: str) -> None:
        """The tenant that a signed-in person acts for from now on."""
        self._http.headers["Cupola-Tenant"] = tenant

    def get(self, path: str, **params: Any) -> Any:
        return self._send("GET", path, params=params)

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> Any:
        return self._send("POST", path, body=body, headers={"Idempotency-Key": key or str(ids.uuid7())})

    def put(self, path: str, body: Any) -> Any:
        return self._send("PUT", path, body=body)

    def upload(self, path: str, file: Path, **params: str) -> Any:
        """Send a file's bytes, streamed. params: the query, of any characters."""
        with file.open("rb") as content:
            parts = iter(lambda: content.read(1 << 20), b"")
            return _answer(self._http.put(path, params=params or None, content=parts, timeout=None))

    def send_bytes(self, path: str, content: bytes, **params: str) -> Any:
        """Post a file's bytes as they are. params: the query."""
        sent = {"Content-Type": "application/octet-stream"}
        return _answer(self._http.post(path, params=params or None, content=content, headers=sent, timeout=None))

    def download(self, path: str, target: Path) -> int:
        """Write the answer to a file; returns its size in bytes. The file appears only when it is whole."""
        part = target.with_name(target.name + ".part")
        size = 0
        with self._http.stream("GET", path, timeout=None, follow_redirects=True) as response:
            if response.status_code >= 400:
                response.read()
                _answer(response)
            try:
                with part.open("wb") as out:
                    for chunk in response.iter_bytes():
                        out.write(chunk)
                        size += len(chunk)
            except BaseException:
                part.unlink(missing_ok=True)  # half a file is nothing that somebody should find
                raise
        part.replace(target)
        return size

    def every(self, path: str, **params: Any) -> Iterator[dict[str, Any]]:
        """All rows of a list, page by page."""
        cursor: str | None = None
        while True:
            page = self.get(path, limit=100, **({"cursor": cursor} if cursor else {}), **params)
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return

    def close(self) -> None:
        self._http.close()

    def _send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        params: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Any:
        wanted = {name: value for name, value in (params or {}).items() if value is not None}
        content = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        sent = dict(headers or {})
        if content is not None:
            sent["Content-Type"] = "application/json"
        for attempt in range(RETRIES):
            try:
                response = self._http.request(method, path, content=content, params=wanted, headers=sent)
            except httpx.TransportError as error:
                if attempt == RETRIES - 1:
                    raise Problem(
                        Kind.UNAVAILABLE,
                        "server-unreachable",
                        f"The server at {self.url} does not answer: {error}",
                        remedy="Start it with: cupola up",
                    ) from error
                clock.sleep(min(0.2 * 2**attempt, 5.0))
                continue
            if response.status_code in _AGAIN and attempt < RETRIES - 1:
                clock.sleep(min(float(response.headers.get("retry-after", "1")), 5.0))
                continue
            return _answer(response)
        raise AssertionError("unreachable")


def _bearer(token: str) -> str:
    """The header of a key, as it comes out of a file: line ends around it are not part of it.

    Raises Problem (INVALID) for a key that cannot be one, without printing it.
    """
    text = token.strip()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise invalid(
            "key-malformed",
            f"The key ({len(token)} characters) holds something that no key has: a space, a line end or a sign "
            "outside ASCII.",
            place="--key or CUPOLA_KEY",
            remedy="Copy it again, whole and alone, or make a new one: cupola key create --tenant NAME",
        )
    return f"Bearer {text}"


def _answer(response: httpx.Response) -> Any:
    if response.status_code >= 400:
        try:
            body = response.json()
        except ValueError:
            body = {"detail": response.text[:500]}
        raise ApiError(response.status_code, body if isinstance(body, dict) else {"detail": str(body)})
    if response.status_code == 204 or not response.content:
        return None
    return response.json()
