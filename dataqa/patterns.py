"""Patterns that are compiled at their first use: few lines need any, and compiling all would delay every start."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, partial
from typing import AnyStr


def when_needed(pattern: AnyStr, flags: re.RegexFlag = re.NOFLAG) -> Callable[[], re.Pattern[AnyStr]]:
    """Return a function that gives the compiled pattern."""
    return cache(partial(re.compile, pattern, flags))
