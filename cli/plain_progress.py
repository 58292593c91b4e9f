"""Progress where no terminal is: one plain line a minute, so that a log shows that the work goes on."""

from __future__ import annotations

import time
from collections.abc import Callable

# Often enough for somebody who waits, seldom enough for a log of hours.
SECONDS_BETWEEN_LINES = 60.0


class PlainProgress:
    """An `Advance` that says how far the work is, and about how long it still takes."""

    def __init__(
        self, title: str, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin to wait for the first line; `clock` gives seconds."""
        self._title = title
        self._say = say
        self._clock = clock
        self._said = clock()
        self._total: int | None = None
        self._first = (0, self._said)

    def __call__(self, done: int, total: int, what: str = "") -> None:
        """Say a line when a minute has gone since the last one."""
        now = self._clock()
        if total != self._total or done < self._first[0]:  # other work has begun, which has its own pace
            self._total, self._first = total, (done, now)
        if now - self._said < SECONDS_BETWEEN_LINES:
            return
        self._said = now
        parts = [f"{done:,} of {total:,}", what, self._left(done, total, now)]
        self._say(f"{self._title}: " + ", ".join(part for part in parts if part))

    def _left(self, done: int, total: int, now: float) -> str:
        """Say how long the rest takes at the pace so far; nothing where there is no pace or no rest."""
        first, began = self._first
        if not first < done < total:
            return ""
        seconds = (now - began) / (done - first) * (total - done)
        return f"about {seconds / 60:.0f} min left" if seconds >= 90 else f"about {seconds:.0f} s left"
