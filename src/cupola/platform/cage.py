"""Foreign bytes are decoded in child processes with limits on memory and time: what bursts there bursts alone.

A child imports one module and answers calls to the functions that its VERBS name, one after another, over its standard
input and output (a length of 4 bytes, then msgpack). It starts when it is first needed, is used again and again, and
ends when it was idle for long, when a call took too much, or when its parent is gone. It gets none of the parent's
environment, writes no file, and leaves no core.
"""

from __future__ import annotations

import importlib
import os
import resource
import select
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import msgspec

from cupola.kernel import clock
from cupola.kernel.errors import Kind, Problem, invalid, unavailable, unforeseen

MAX_ANSWER_BYTES = 64 * 1024 * 1024
IDLE_S = 120  # a child that nobody asks for this long ends
CALLS = 5_000  # a child that answered this often is replaced: libraries leak
GRACE_S = 10  # how much longer a child may live than the time it has for a call
_length = struct.Struct("<I")


class Cage:
    """A small pool of children that all serve one module. Safe to use from several threads; blocking."""

    def __init__(
        self, module: str, *, children: int, memory_bytes: int, time_s: float, what: str, sealed: bool = False
    ) -> None:
        """module: has VERBS, a mapping of names to functions. memory_bytes: beyond what the bare child takes.
        what: what is decoded, for sentences ("picture"). sealed: once the module is there, the child opens nothing
        any more, neither files nor connections."""
        self._argv = [
            sys.executable,
            "-I",
            "-m",
            __name__,
            module,
            str(memory_bytes),
            str(int(time_s)),
            str(int(sealed)),
        ]
        self._memory_bytes, self._time_s, self._what = memory_bytes, time_s, what
        self._idle: list[_Child] = []
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(children)

    def call(self, verb: str, *args: Any) -> Any:
        """What the verb answers. args: what msgpack holds.

        Raises the Problem that the verb raised; INVALID with the code "decode-memory", "decode-time" or
        "decode-failed" when it took too much or broke.
        """
        with self._places:
            child = self._take()
            try:
                answer = self._ask(child, verb, args)
            except BaseException as error:
                if not (isinstance(error, Problem) and child.left()):
                    child.kill()
                    raise
                # It ended by itself, idle, just as it was asked: another one is asked instead.
                child.kill()
                child = _Child(self._argv)
                try:
                    answer = self._ask(child, verb, args)
                except BaseException:
                    child.kill()
                    raise
            self._give(child)
        return _opened(answer)

    @contextmanager
    def hold(self) -> Iterator[Held]:
        """One child of one's own, for verbs that remember: `ask(verb, *args)`; it ends with the block."""
        held = self.held()
        try:
            yield held
        finally:
            held.kill()

    def held(self) -> Held:
        """The same without a block: whoever holds it ends it (`kill`), also while another thread waits for it."""
        return Held(self, _Child(self._argv))

    def close(self) -> None:
        """End the idle children."""
        with self._lock:
            idle, self._idle = self._idle, []
        for child in idle:
            child.kill()

    def _take(self) -> _Child:
        while True:
            with self._lock:
                child = self._idle.pop() if self._idle else None
            if child is None:
                return _Child(self._argv)
            if child.alive():
                return child
            child.kill()

    def _give(self, child: _Child) -> None:
        if child.calls >= CALLS or child.tired:
            child.kill()
            return
        with self._lock:
            self._idle.append(child)

    def _ask(self, child: _Child, verb: str, args: tuple[Any, ...]) -> Mapping[str, Any]:
        try:
            return child.ask(verb, args, self._time_s)
        except TimeoutError:
            raise invalid(
                "decode-time",
                f"Decoding this {self._what} takes longer than {self._time_s:g} s.",
                remedy="Save it again in a simpler form, or in smaller parts.",
            ) from None
        except (EOFError, OSError):
            # Killed by a limit or by a fault in a library: what was to be decoded is at fault, not the run.
            raise invalid(
                "decode-failed",
                f"Decoding this {self._what} breaks the decoder, or needs more than "
                f"{self._memory_bytes // 1024**2} MB of memory.",
                remedy="Save it again in a simpler form, or in smaller parts.",
            ) from None


class Held:
    """A child of somebody's own."""

    def __init__(self, cage: Cage, child: _Child) -> None:
        self._cage, self._child = cage, child

    def __call__(self, verb: str, *args: Any) -> Any:
        return _opened(self._cage._ask(self._child, verb, args))

    def kill(self) -> None:
        """End it; whoever waits for an answer is told that there is none. Once more is no harm."""
        self._child.kill()


def _opened(answer: Mapping[str, Any]) -> Any:
    if "problem" in answer:
        kind, code, detail, remedy, place = answer["problem"]
        raise Problem(Kind(kind), code, detail, remedy=remedy, place=place)
    return answer["value"]


class _Child:
    def __init__(self, argv: list[str]) -> None:
        try:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
                # One arena and no threads of libraries: the limit counts addresses, not only what is used.
                env={
                    "PATH": os.defpath,
                    "LANG": "C.UTF-8",
                    "MALLOC_ARENA_MAX": "1",
                    "OMP_NUM_THREADS": "1",
                    "OPENBLAS_NUM_THREADS": "1",
                    "ARROW_DEFAULT_MEMORY_POOL": "system",
                },
            )
        except OSError as error:
            raise unavailable("busy", f"No process can be started here: {error.strerror}.") from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        self.calls = 0
        self.tired = False

    def alive(self) -> bool:
        return self._process.poll() is None

    def left(self) -> bool:
        """Did it end of its own accord?"""
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(0.2) == 0
        return False

    def ask(self, verb: str, args: tuple[Any, ...], time_s: float) -> Mapping[str, Any]:
        """Raises TimeoutError, or EOFError or OSError when the child is gone."""
        self.calls += 1
        until = clock.monotonic_s() + time_s
        body = msgspec.msgpack.encode((verb, args))
        self._in.write(_length.pack(len(body)) + body)
        self._in.flush()
        (size,) = _length.unpack(self._read(_length.size, until))
        if size > MAX_ANSWER_BYTES:
            raise EOFError
        answer: Mapping[str, Any] = msgspec.msgpack.decode(self._read(size, until))
        self.tired = bool(answer.get("tired"))
        return answer

    def _read(self, size: int, until: float) -> bytes:
        parts = bytearray()
        descriptor = self._out.fileno()
        while len(parts) < size:
            left = until - clock.monotonic_s()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                raise TimeoutError
            part = os.read(descriptor, min(size - len(parts), 1 << 20))
            if not part:
                raise EOFError
            parts += part
        return bytes(parts)

    def kill(self) -> None:
        with suppress(OSError):
            self._process.kill()
        for pipe in (self._in, self._out):
            with suppress(OSError):
                pipe.close()
        self._process.wait()


# ---------------------------------------------------------------- the child's side
def _limit(memory_bytes: int, sealed: bool) -> None:
    with open("/proc/self/statm") as statm:
        here = int(statm.read().split()[0]) * resource.getpagesize()
    for what, most in (
        (resource.RLIMIT_AS, here + memory_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 0 if sealed else 64),  # 0: what is open stays, and no number is left for more
    ):
        resource.setrlimit(what, (most, most))


def _answer(verbs: Mapping[str, Callable[..., Any]], body: bytes) -> dict[str, Any]:
    try:
        verb, args = msgspec.msgpack.decode(body)
        return {"value": verbs[verb](*args)}
    except Problem as problem:
        told = problem
    except MemoryError:
        told = invalid(
            "decode-memory",
            "Decoding this needs more memory than is given to one file.",
            remedy="Save it again in a simpler form, or in smaller parts.",
        )
        return {"problem": _plain(told), "tired": True}
    except Exception as error:
        told = invalid("decode-failed", unforeseen(error), remedy="Save it again from its source.")
    return {"problem": _plain(told)}


def _plain(problem: Problem) -> tuple[str, str, str, str, str]:
    return problem.kind.value, problem.code, problem.detail, problem.remedy, problem.place


def _serve(module: str, memory_bytes: int, time_s: int, sealed: bool) -> None:
    verbs: Mapping[str, Callable[..., Any]] = importlib.import_module(module).VERBS
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "r+b") as nowhere:  # what a library prints must not stand among the answers
        os.dup2(nowhere.fileno(), 0)
        os.dup2(nowhere.fileno(), 1)
    _limit(memory_bytes, sealed)
    while select.select([source], [], [], IDLE_S)[0]:
        head = source.read(_length.size)
        if len(head) < _length.size:
            return
        body = source.read(_length.unpack(head)[0])
        signal.alarm(time_s + GRACE_S)  # should the parent be gone while this hangs
        answer = msgspec.msgpack.encode(_answer(verbs, body))
        signal.alarm(0)
        sink.write(_length.pack(len(answer)) + answer)
        sink.flush()


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), bool(int(sys.argv[4])))
