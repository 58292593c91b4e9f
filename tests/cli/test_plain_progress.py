from __future__ import annotations

import sys

import pytest

from tunegate.cli import common, plain_progress
from tunegate.cli.plain_progress import PlainProgress


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_line_a_minute_with_what_is_left() -> None:
    clock, said = Clock(), list[str]()
    advance = PlainProgress("train", said.append, clock)
    for step in range(41):  # a step takes 2 s
        advance(step, 120, f"loss {1 / (step + 1):.2f}")
        clock.now += 2.0
    assert said == ["train: 30 of 120, loss 0.03, about 3 min left"]
    for step in range(41, 121):
        advance(step, 120)
        clock.now += 2.0
    assert said[1:] == [
        "train: 60 of 120, about 2 min left",
        "train: 90 of 120, about 60 s left",
        "train: 120 of 120",
    ]


def test_short_work_says_nothing() -> None:
    clock, said = Clock(), list[str]()
    advance = PlainProgress("check", said.append, clock)
    for step in range(29):
        clock.now += 2.0
        advance(step, 29)
    assert said == []


def test_what_was_done_before_and_other_work_do_not_count_for_the_pace() -> None:
    clock, said = Clock(), list[str]()
    advance = PlainProgress("train", said.append, clock)
    advance(500, 600)  # the training goes on at step 500
    clock.now += 100.0
    advance(550, 600)
    assert said == ["train: 550 of 600, about 2 min left"]
    clock.now += 100.0
    advance(0, 10, "reading rows")
    assert said[1:] == ["train: 0 of 10, reading rows"]


def test_it_is_what_shows_progress_where_no_terminal_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(plain_progress, "SECONDS_BETWEEN_LINES", 0.0)
    assert not sys.stderr.isatty()
    with common.progress("evaluate") as advance:
        advance(3, 30, "base")
    captured = capsys.readouterr()
    assert captured.err == "evaluate: 3 of 30, base\n"
    assert captured.out == ""
