"""The same work on many items: one after the other, or in several processes, with the results in order."""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from tunegate.core.errors import InputError, TunegateError

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

Item = TypeVar("Item")
Result = TypeVar("Result")

# Items that wait for a free process, so that none is idle while the next item is read.
AHEAD = 2


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextlib.contextmanager
def sharing(work: Callable[[Item], Result], jobs: int) -> Iterator[Callable[[Iterable[Item]], Iterator[Result]]]:
    """Give a function from items to their results, in order, that does the work in `jobs` processes.

    With one job, and where processes cannot be forked, the work is done in this process, and nothing is imported
    for it. An error while the items are read is raised after the results of those before it. Raises InputError
    when a process ends by itself, as when memory runs out.
    """
    if jobs == 1 or not hasattr(os, "fork"):
        yield partial(map, work)
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # A forked process has all that is loaded already, the rules among it, which no other way could hand over.
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("fork"), _begin, (work, os.getpid())) as pool:
        yield partial(_in_order, pool, AHEAD * jobs)


def _in_order(pool: ProcessPoolExecutor, ahead: int, items: Iterable[Any]) -> Iterator[Any]:
    from concurrent.futures.process import BrokenProcessPool

    waiting: deque[Future[Any]] = deque()
    problem: TunegateError | None = None
    try:
        try:
            for item in items:
                waiting.append(pool.submit(_do, item))
                if len(waiting) > ahead:
                    yield waiting.popleft().result()
        except TunegateError as error:
            problem = error
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise InputError(
            "one of the processes at work was ended, perhaps for want of memory: start again with --jobs 1"
        ) from error
    if problem is not None:
        raise problem


_work: Callable[[Any], Any]


# How often a process at work looks whether the one that it works for still lives.
SECONDS_BETWEEN_LOOKS = 0.5


def _begin(work: Callable[[Any], Any], parent: int) -> None:
    """Keep the work of this process; an interrupt is left to the process that people talk to."""
    import signal
    import threading

    global _work  # noqa: PLW0603  # a process of the pool has no other memory of its own
    _work = work
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the pool ends its processes by it
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """End this process when its parent is gone: killed, it cannot say so, and we would wait for work for ever."""
    while os.getppid() == parent:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    os._exit(1)


def _do(item: Any) -> Any:
    return _work(item)
