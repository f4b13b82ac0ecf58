"""Passwords: argon2id in two threads of its own, and a throttle that makes guessing slow.

Parameters are argon2-cffi's default, the low-memory choice of RFC 9106 (3 passes, 64 MiB, 4 lanes).
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from cupola.kernel import clock
from cupola.kernel.errors import Kind, Problem

_hasher = PasswordHasher()
# Two threads bound what a flood of sign-ins can take: 128 MiB and two cores.
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")
# Verified where there is no such person, so that the time taken does not tell who has an account.
_NOBODY = _hasher.hash("a password that nobody has")

FREE_TRIES = 10
MAX_DELAY_S = 900.0
FORGET_AFTER_S = 3_600.0
MAX_KNOWN = 10_000


async def hash_password(password: str) -> str:
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, password)


async def verify_password(stored: str | None, password: str) -> bool:
    """Is it the one that `stored` was made of? With None (nobody, or none set) always False, in the same time."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _verify, stored, password)


def outdated(stored: str) -> bool:
    """Was this hash made with weaker parameters than today's?"""
    return _hasher.check_needs_rehash(stored)


def _verify(stored: str | None, password: str) -> bool:
    try:
        _hasher.verify(stored or _NOBODY, password)
    except (Argon2Error, InvalidHashError):
        return False
    return stored is not None


class Throttle:
    """Counts tries by name. After `free` of them each further one waits twice as long, at most `most_delay_s`.

    A try is counted when it begins and forgotten when it succeeds, so that many at once gain nothing. In memory and of
    bounded size: a restart forgets, which costs an attacker more than it gives.
    """

    def __init__(self, free: int = FREE_TRIES, most_delay_s: float = MAX_DELAY_S) -> None:
        self._free = free
        self._most_delay_s = most_delay_s
        self._tries: OrderedDict[str, tuple[int, float]] = OrderedDict()  # name -> tries, time of the last

    def enter(self, name: str) -> None:
        """Count one try. Raises Problem (TOO_MANY) with `retry_after_s` while the name must wait."""
        now = clock.monotonic_s()
        tries, last = self._tries.get(name, (0, now))
        if now - last > FORGET_AFTER_S:
            tries = 0
        if tries >= self._free:
            wait_s = last + min(2.0 ** min(tries - self._free, 20), self._most_delay_s) - now
            if wait_s > 0:
                seconds = int(wait_s) + 1
                raise Problem(
                    Kind.TOO_MANY,
                    "sign-in-throttled",
                    "Too many attempts to sign in did not succeed.",
                    remedy=f"Wait {seconds} s, then try again.",
                    retry_after_s=seconds,
                )
        self._tries[name] = (tries + 1, now)
        self._tries.move_to_end(name)
        while len(self._tries) > MAX_KNOWN:
            self._tries.popitem(last=False)

    def clear(self, name: str) -> None:
        """It succeeded: forget its tries."""
        self._tries.pop(name, None)
