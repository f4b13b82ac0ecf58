"""The guarded way out for worker threads: the same vetting and pinning as `net`, blocking."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpx

from cupola.kernel.errors import Problem
from cupola.platform.net import USER_AGENT, Guard, Target, check_url

CONNECT_S = 5


class Unreachable(Exception):
    """The host does not answer, or what it answers breaks off; str() says why."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer whose body is still to be read, in parts as they were sent. Close it."""

    status: int
    headers: Mapping[str, str]
    _response: httpx.Response

    def parts(self, size_bytes: int) -> Iterator[bytes]:
        """Raises Unreachable when it breaks off."""
        try:
            yield from self._response.iter_raw(size_bytes)
        except httpx.HTTPError as error:
            raise Unreachable(str(error) or type(error).__name__) from None
        finally:
            self.close()

    def close(self) -> None:
        self._response.close()


class BlockingClient:
    """Asks one host, which is looked up and vetted once. Safe to use from several threads; not inside an event loop."""

    def __init__(self, base: str, guard: Guard, *, timeout_s: float) -> None:
        self._base, self._guard = httpx.URL(base), guard
        self._lock = threading.Lock()
        self._target: Target | None = None
        self._http = httpx.Client(
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(timeout_s, connect=CONNECT_S),
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
        )

    @property
    def host(self) -> str:
        """As a request's Host header says it."""
        return self._base.netloc.decode()

    def get(self, raw_path: str, headers: Mapping[str, str]) -> Reply:
        """raw_path: path and query, already encoded, sent as they are. Raises Unreachable."""
        try:
            with self._lock:
                self._target = self._target or asyncio.run(check_url(str(self._base), self._guard))
            request = self._http.build_request(
                "GET",
                self._base.copy_with(host=self._target.address),
                headers={**headers, "Host": self.host},
                # as it is: an address would lose its "//" and ".." on the way
                extensions={"sni_hostname": self._target.host, "target": raw_path.encode()},
            )
            response = self._http.send(request, stream=True)
        except Problem as problem:
            raise Unreachable(problem.detail) from None
        except httpx.HTTPError as error:
            raise Unreachable(str(error) or type(error).__name__) from None
        return Reply(response.status_code, response.headers, response)

    def close(self) -> None:
        self._http.close()
