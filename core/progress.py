"""Progress of long work, without knowing who shows it.

Library functions take an `Advance` and call it; the command line shows a bar on a terminal, and elsewhere
a line a minute.
"""

from __future__ import annotations

from typing import Protocol


class Advance(Protocol):
    """Called with how much is done, of how much, and of what."""

    def __call__(self, done: int, total: int, what: str = "") -> None:
        """Take note of the progress; must be cheap, and safe to call often."""


def silent(done: int, total: int, what: str = "") -> None:
    """Show nothing."""
