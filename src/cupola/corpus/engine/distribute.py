"""Who does the work of a stage: this process, several of this machine, or a Ray cluster. The outcome is the same.

A stage is a function of one task and nothing else; what it makes lies in files, what it returns is small.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor, wait
from typing import Any, Protocol, TypeVar

from cupola.kernel.errors import Kind, Problem, invalid

T = TypeVar("T")
R = TypeVar("R")
WORKER_BYTES = 400 << 20  # a process with its libraries, a batch and what is known of a unit
_AHEAD = 2  # tasks that wait for each worker


class Engine(Protocol):
    """Does tasks, at most `partitions` at a time."""

    partitions: int

    def each(self, work: Callable[[T], R], tasks: Sequence[T]) -> Iterator[R]:
        """The results as they are done. Raises what a task raised; tasks that were not begun are then left."""
        ...

    def close(self) -> None: ...


def engine(name: str, partitions: int) -> Engine:
    """`native`, or `ray` for a cluster on this machine, or its address (ray://host:port). Raises Problem (INVALID)."""
    if partitions < 1:
        raise invalid("partitions-outside", "Somebody has to do the work.", place="partitions",
                      remedy="Give at least 1.")  # fmt: skip
    if name == "native":
        return _Here() if partitions == 1 else _Processes(partitions)
    if name == "ray" or name.startswith("ray://"):
        return _Ray(None if name == "ray" else name, partitions)
    raise invalid("engine-unknown", f"There is no engine {name}.", place="engine",
                  remedy="There are native, ray, and ray://HOST:PORT.")  # fmt: skip


class _Here:
    partitions = 1

    def each(self, work: Callable[[T], R], tasks: Sequence[T]) -> Iterator[R]:
        return map(work, tasks)

    def close(self) -> None:
        """Nothing is held."""


def _end_with_parent() -> None:
    """A worker whose run was killed ends too: the pool's own pipes would never tell it."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class _Processes:
    def __init__(self, partitions: int) -> None:
        self.partitions = partitions
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(partitions, context, initializer=_end_with_parent)

    def each(self, work: Callable[[T], R], tasks: Sequence[T]) -> Iterator[R]:
        waiting: set[Future[R]] = set()
        left = iter(tasks)
        try:
            for task in left:
                waiting.add(self._pool.submit(work, task))
                if len(waiting) >= _AHEAD * self.partitions:
                    done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    yield from (one.result() for one in done)
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (one.result() for one in done)
        except BrokenExecutor as error:
            raise Problem(Kind.UNAVAILABLE, "worker-died", "A process that did the work was ended from outside.",
                          remedy="It was killed, or the memory was not enough: ask for fewer partitions. The same "
                                 "command goes on from where it stood.") from error  # fmt: skip
        finally:
            for one in waiting:
                one.cancel()

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)


class _Ray:
    """The run's folder and the input have to be at the same paths on every host of the cluster."""

    def __init__(self, address: str | None, partitions: int) -> None:
        self.partitions = partitions
        try:
            self._ray: Any = importlib.import_module("ray")
        except ImportError as error:
            raise invalid("ray-absent", "Ray is not installed.", place="engine",
                          remedy="pip install 'cupola[ray]', here and on the cluster's hosts.") from error  # fmt: skip
        self._ours = not self._ray.is_initialized()
        if self._ours:
            some = {} if address else {"num_cpus": partitions, "include_dashboard": False}
            self._ray.init(address=address, log_to_driver=False, logging_level="ERROR", **some)

    def each(self, work: Callable[[T], R], tasks: Sequence[T]) -> Iterator[R]:
        remote = self._ray.remote(num_cpus=1, max_retries=2)(work)
        waiting: list[Any] = []
        for task in tasks:
            waiting.append(remote.remote(task))
            if len(waiting) >= _AHEAD * self.partitions:
                done, waiting = self._ray.wait(waiting)
                yield from self._results(done)
        while waiting:
            done, waiting = self._ray.wait(waiting)
            yield from self._results(done)

    def _results(self, done: list[Any]) -> list[Any]:
        try:
            return list(self._ray.get(done))
        except self._ray.exceptions.RayTaskError as error:
            raise (error.cause if isinstance(error.cause, Exception) else error) from error

    def close(self) -> None:
        if self._ours:
            self._ray.shutdown()
