"""The only way out: HTTP to addresses that are not ours.

A URL that a user gave is resolved once, every address it has is vetted, and the connection goes to a vetted address
(the name is not looked up a second time, so it cannot change in between). Each redirect is vetted again. Operators may
allow networks of their own.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from types import TracebackType
from urllib.parse import urlsplit

import httpx

from cupola.kernel import clock, limits
from cupola.kernel.errors import Kind, Problem, invalid

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_URL_CHARS = 4_096
MAX_HOSTS = 64  # hosts whose connections one fetcher keeps
VETTED_FOR_S = 60.0  # how long a vetted address is used without asking again
USER_AGENT = "Cupola/1"

_unfit = re.compile(r"[\x00-\x20\x7f\\]")
_authority = re.compile(r"(https?)://([^/?#]*)", re.IGNORECASE)
_host_name = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\Z")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.IPv6Network("64:ff9b:1::/48")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Guard:
    """Which addresses may be spoken to: the public ones, and the networks and host names that the operator allows."""

    allowed: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()

    @staticmethod
    def of(names: Iterable[str]) -> Guard:
        """Networks, addresses or host names: ["10.1.0.0/16", "127.0.0.1", "minio.internal"].

        Raises Problem (INVALID) for what is none of them.
        """
        networks: list[Network] = []
        hosts: set[str] = set()
        for name in names:
            try:
                networks.append(ipaddress.ip_network(name, strict=False))
            except ValueError:
                if not _host_name.match(name):
                    raise invalid(
                        "network-invalid",
                        f"{name!r} is neither a network nor a host name.",
                        remedy="Write it like 10.1.0.0/16 or minio.internal, without a port.",
                    ) from None
                hosts.add(name.lower())
        return Guard(tuple(networks), frozenset(hosts))

    def trusts(self, host: str) -> bool:
        """Did the operator name this host, or the address that it is written as?"""
        address = _literal(host)
        if address is None:
            return host.rstrip(".").lower() in self.hosts
        return any(address in network for network in self.allowed if address.version == network.version)

    def admits(self, address: Address) -> bool:
        """Is this address public, or allowed by the operator? Addresses inside of addresses are looked at too."""
        inner = _inner(address)
        if any(a in network for a in (address, inner) for network in self.allowed if a.version == network.version):
            return True
        return all(_public(a) for a in {address, inner})


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for (mapped, 6to4, Teredo, NAT64), or the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64 or int(address) >> 32 == 0:  # NAT64, and the old "IPv4-compatible" form
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None or address in _NAT64:
            return True  # judged by the address inside of it
        if address.is_site_local or address in _NAT64_LOCAL:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


@dataclass(frozen=True, slots=True)
class Target:
    """A vetted place: the URL's host and port, and the address to connect to."""

    scheme: str
    host: str
    port: int
    address: str


def parse_url(url: str) -> tuple[str, str, int]:
    """(scheme, host, port) of an http(s) URL. Raises Problem (INVALID) for anything else, without any lookup."""
    if len(url) > MAX_URL_CHARS or _unfit.search(url):
        raise _bad("It is too long or holds spaces or control characters.")
    found = _authority.match(url)
    if found is None:
        raise _bad("Only http and https are fetched.")
    return _place(found.group(1).lower(), found.group(2))


@lru_cache(maxsize=1_024)
def _place(scheme: str, authority: str) -> tuple[str, str, int]:
    try:
        parts = urlsplit(f"{scheme}://{authority}")
        port = parts.port
    except ValueError:
        raise _bad("Its host or port cannot be read.") from None
    if not parts.hostname:
        raise _bad("It names no host.")
    if parts.username is not None or parts.password is not None:
        raise _bad("It carries a user name or password.")
    if port == 0:
        raise _bad("Port 0 is no port.")
    return scheme, parts.hostname, port or (443 if scheme == "https" else 80)


def check_literal(url: str, guard: Guard) -> None:
    """Refuse what is wrong on its face: bad syntax, a private address written out, a name of this machine.

    Makes no lookup, so it says nothing about names; `check_url` does before anything is fetched.
    """
    _, host, _ = parse_url(url)
    if _private_on_its_face(host, guard):
        raise _private(host)


@lru_cache(maxsize=1_024)
def _private_on_its_face(host: str, guard: Guard) -> bool:
    if guard.trusts(host):
        return False
    address = _literal(host)
    if address is not None:
        return not guard.admits(address)
    local = host.rstrip(".").lower()
    return not guard.allowed and (local == "localhost" or local.endswith((".localhost", ".local", ".internal")))


async def check_url(url: str, guard: Guard) -> Target:
    """Look the host up and vet every address it has; the answer names the address to connect to.

    Raises Problem: INVALID code "url-invalid" or "url-private"; UNAVAILABLE code "url-unresolved".
    """
    scheme, host, port = parse_url(url)
    literal = _literal(host)
    if literal is not None:
        found = [literal]
    else:
        try:
            async with asyncio.timeout(limits.FETCH_TIMEOUT_S):
                rows = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError, TimeoutError):
            raise Problem(
                Kind.UNAVAILABLE, "url-unresolved", f"The host {host!r} has no address.", remedy="Check the name."
            ) from None
        found = [ipaddress.ip_address(str(row[4][0]).split("%")[0]) for row in rows]
    # One private address among public ones is how a rebinding attack looks, so all must be admitted.
    if not found or not (guard.trusts(host) or all(guard.admits(address) for address in found)):
        raise _private(host)
    return Target(scheme, host, port, str(found[0]))


def _literal(host: str) -> Address | None:
    """The address a host is written as; also the old forms (0x7f.1, 2130706433) that resolvers take."""
    try:
        return ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        pass
    if host and host[0].isdigit() and all(c in "0123456789abcdefxABCDEFX." for c in host):
        try:
            return ipaddress.IPv4Address(socket.inet_aton(host))
        except (OSError, ValueError):
            return None
    return None


class GuardedTransport(httpx.AsyncBaseTransport):
    """An httpx transport that connects only to vetted addresses. Use it in any client that speaks to users' URLs.

    Connections are kept per host, so one that was opened (and whose certificate was checked) for one name never
    serves another name at the same address.
    """

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._vetted: dict[tuple[str, str, int], tuple[float, Target]] = {}
        self._pools: dict[tuple[str, str, int], httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        target = await self._target(str(request.url))
        request.url = request.url.copy_with(host=target.address)  # the Host header keeps the name
        request.extensions = {**request.extensions, "sni_hostname": target.host}
        return await self._pool(target).handle_async_request(request)

    async def _target(self, url: str) -> Target:
        place = parse_url(url)
        known = self._vetted.get(place)
        if known is not None and clock.monotonic_s() - known[0] < VETTED_FOR_S:
            return known[1]
        target = await check_url(url, self._guard)
        if len(self._vetted) >= 16 * MAX_HOSTS:
            self._vetted.clear()
        self._vetted[place] = (clock.monotonic_s(), target)
        return target

    def _pool(self, target: Target) -> httpx.AsyncHTTPTransport:
        key = (target.scheme, target.host, target.port)
        pool = self._pools.get(key)
        if pool is None:
            # With many hosts the rest share one pool that keeps no connection, which is as safe and a little slower.
            kept = 8 if len(self._pools) < MAX_HOSTS else 0
            key = key if kept else ("", "", 0)
            pool = self._pools.get(key) or httpx.AsyncHTTPTransport(
                trust_env=False, limits=httpx.Limits(max_connections=64, max_keepalive_connections=kept)
            )
            self._pools[key] = pool
        return pool

    async def aclose(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()
        self._pools.clear()


@dataclass(frozen=True, slots=True)
class Answer:
    """A fetched body. `url` is where it came from after redirects."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


class Fetcher:
    """Fetches users' URLs under a guard, with limits on size, time and redirects. An async context manager."""

    def __init__(self, guard: Guard, *, timeout_s: float = limits.FETCH_TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._client = httpx.AsyncClient(
            transport=GuardedTransport(guard),
            trust_env=False,  # a proxy from the environment would connect unvetted
            follow_redirects=False,
            timeout=httpx.Timeout(timeout_s),
            headers={"User-Agent": USER_AGENT},
        )

    async def __aenter__(self) -> Fetcher:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, e: BaseException | None, t: TracebackType | None
    ) -> None:
        await self._client.aclose()

    @asynccontextmanager
    async def stream(
        self,
        url: str,
        *,
        max_bytes: int,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        follow: bool = True,
    ) -> AsyncIterator[tuple[httpx.Response, AsyncIterator[bytes]]]:
        """Open a URL: (response, its decoded body in chunks). The whole must end within the fetcher's time.

        Raises Problem: INVALID ("url-invalid", "url-private", "url-redirects"), TOO_LARGE ("url-too-large"),
        UNAVAILABLE ("url-unresolved", "url-unreachable", "url-timeout").
        """
        # A fixed deadline, because httpx's own limits start again with each byte that drips in.
        deadline = asyncio.get_running_loop().time() + self._timeout_s
        try:
            async with asyncio.timeout_at(deadline):
                response = await self._open(url, method, headers, content, follow)
                try:
                    length = response.headers.get("content-length", "")
                    if length.isdigit() and int(length) > max_bytes:
                        raise _too_large(max_bytes)
                    yield response, _bounded(response, max_bytes)
                finally:
                    await response.aclose()
        except TimeoutError:
            raise _unreachable("url-timeout", f"{_host(url)} did not answer within {self._timeout_s:g} s.") from None
        except httpx.TimeoutException:
            raise _unreachable("url-timeout", f"{_host(url)} did not answer within {self._timeout_s:g} s.") from None
        except httpx.InvalidURL:
            raise _bad("It cannot be read.") from None
        except httpx.HTTPError as error:
            raise _unreachable("url-unreachable", f"{_host(url)} cannot be reached: {error}.") from None

    async def fetch(
        self,
        url: str,
        *,
        max_bytes: int,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        follow: bool = True,
    ) -> Answer:
        """The same with the whole body in memory: for small answers."""
        async with self.stream(
            url, max_bytes=max_bytes, method=method, headers=headers, content=content, follow=follow
        ) as (response, chunks):
            body = b"".join([chunk async for chunk in chunks])
            return Answer(response.status_code, dict(response.headers), body, _origin_url(response, url))

    async def _open(
        self, url: str, method: str, headers: Mapping[str, str] | None, content: bytes | None, follow: bool
    ) -> httpx.Response:
        sent = dict(headers or {})
        for _ in range(limits.MAX_REDIRECTS + 1):
            parse_url(url)
            request = self._client.build_request(method, url, headers=sent, content=content)
            response = await self._client.send(request, stream=True)
            response.extensions["cupola_url"] = url.encode()
            if response.status_code not in _REDIRECTS or not follow or "location" not in response.headers:
                return response
            if method != "GET" and response.status_code not in (307, 308):
                return response  # a POST is not turned into a GET behind the caller's back
            onward = str(httpx.URL(url).join(response.headers["location"]))
            await response.aclose()
            if parse_url(onward) != parse_url(url):
                # Credentials are for the host that they were given for.
                sent = {k: v for k, v in sent.items() if k.lower() not in ("authorization", "cookie")}
            url = onward
        raise invalid(
            "url-redirects",
            f"More than {limits.MAX_REDIRECTS} redirects.",
            remedy="Give the address that it leads to.",
        )


async def fetch(
    url: str, *, guard: Guard, max_bytes: int, timeout_s: float = limits.FETCH_TIMEOUT_S, follow: bool = True
) -> Answer:
    """One guarded GET. For many, keep a `Fetcher`."""
    async with Fetcher(guard, timeout_s=timeout_s) as fetcher:
        return await fetcher.fetch(url, max_bytes=max_bytes, follow=follow)


async def _bounded(response: httpx.Response, max_bytes: int) -> AsyncIterator[bytes]:
    # Counted after decompression: a small gzip body can unfold to gigabytes.
    count = 0
    async for chunk in response.aiter_bytes():
        count += len(chunk)
        if count > max_bytes:
            raise _too_large(max_bytes)
        yield chunk


def _origin_url(response: httpx.Response, url: str) -> str:
    kept = response.extensions.get("cupola_url", url.encode())
    return kept.decode() if isinstance(kept, bytes) else url


def _host(url: str) -> str:
    return urlsplit(url).hostname or "The host"


def _bad(why: str) -> Problem:
    return invalid(
        "url-invalid", f"This URL cannot be fetched. {why}", remedy="Give a plain http(s) URL.", place="/url"
    )


def _private(host: str) -> Problem:
    return invalid(
        "url-private",
        f"{host!r} leads to a private, local or reserved address.",
        remedy="Use a public address, or ask the operator to allow that network.",
        place="/url",
    )


def _too_large(max_bytes: int) -> Problem:
    return Problem(
        Kind.TOO_LARGE, "url-too-large", f"The answer has more than {max_bytes} bytes.", remedy="Give a smaller file."
    )


def _unreachable(code: str, detail: str) -> Problem:
    return Problem(Kind.UNAVAILABLE, code, detail, remedy="Check that it answers, then try again.", retry_after_s=5)
