"""Ending while a thread is at something that nothing can interrupt.

A step of slow work (a file that is unfolded, a table that is cut into rows) runs in a thread, and Python ends no thread
from outside. A process that was told to stop waits a while for such a step, then ends without it: what was not finished
is done again by whoever takes the job next, as after a kill.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from cupola.kernel import clock

log = logging.getLogger("cupola.ending")
GRACE_S = 10.0
_NAME = "cupola-step"


class Steps:
    """The threads of a loop's blocking calls, which the loop does not wait for without end."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._threads = ThreadPoolExecutor(thread_name_prefix=_NAME)
        loop.set_default_executor(self._threads)

    async def leave(self, grace_s: float = GRACE_S) -> None:
        """Begin no step that waits, and wait for those that run; what comes now runs in other threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._loop.set_default_executor(ThreadPoolExecutor(max_workers=4))
        await asyncio.to_thread(_wait, clock.monotonic_s() + grace_s)


@contextlib.contextmanager
def without_waiting() -> Iterator[None]:
    """End the process with this block, also where steps are left that the interpreter would wait for."""
    code = 1
    try:
        yield
        code = 0
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
        raise
    except KeyboardInterrupt:
        code = 130
        raise
    finally:
        if left := len(_left()):
            log.warning(
                "ended without waiting for %d steps of slow work; they are done again by the next process", left
            )
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(OSError, ValueError):
                    stream.flush()
            os._exit(code)


def _left() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith(_NAME)]


def _wait(until_s: float) -> None:
    for thread in _left():
        thread.join(max(0.0, until_s - clock.monotonic_s()))
