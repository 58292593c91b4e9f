from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tunegate.core.errors import InputError
from tunegate.core.workers import available_cores, sharing


def double(number: int) -> int:
    return 2 * number


def end_at_three(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def refuse_two(number: int) -> int:
    if number == 2:
        raise InputError("not two")
    return number


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_results_come_in_order(jobs: int) -> None:
    with sharing(double, jobs) as over:
        assert list(over(range(40))) == [2 * number for number in range(40)]
        assert list(over([])) == []


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_while_reading_comes_after_the_results_of_what_was_read(jobs: int) -> None:
    def numbers() -> Iterator[int]:
        yield from range(5)
        raise InputError("damaged after line 5")

    found = []
    with sharing(double, jobs) as over, pytest.raises(InputError, match="damaged after line 5"):
        found.extend(number for number in over(numbers()))
    with sharing(double, jobs) as over:
        found = []
        try:
            for number in over(numbers()):
                found.append(number)
        except InputError:
            pass
    assert found == [0, 2, 4, 6, 8]


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_of_the_work_reaches_the_caller(jobs: int) -> None:
    with sharing(refuse_two, jobs) as over, pytest.raises(InputError, match="not two"):
        list(over(range(4)))


def test_a_process_that_is_killed_is_said_and_nothing_hangs() -> None:
    with pytest.raises(InputError, match="start again with --jobs 1"), sharing(end_at_three, 2) as over:
        list(over(range(10)))


def test_one_core_is_always_available() -> None:
    assert available_cores() >= 1


def test_no_process_outlives_the_one_that_it_works_for() -> None:
    """A killed parent cannot end its workers; they would keep its output open, and wait for ever."""
    script = (
        "import sys, time\n"
        "from tunegate.core.workers import sharing\n"
        "with sharing(time.sleep, 2) as over:\n"
        "    results = over(iter([0, 0, 60, 60, 60]))\n"
        "    next(results)\n"
        "    print('at work', flush=True)\n"
        "    list(results)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"at work\n"
        parent.kill()
        started = time.monotonic()
        assert parent.stdout.read() == b""  # ends when nobody holds it open any more
        assert time.monotonic() - started < 20
