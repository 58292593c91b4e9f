"""Regular expressions that are compiled when they are first used: a run uses few of the many that there are."""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


class _Waiting:
    """A pattern until its first use; then it takes the methods of the compiled one for its own."""

    def __init__(self, text: Any, flags: int) -> None:
        self._made_of = text, flags

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(*self._made_of)
        for method in ("search", "match", "fullmatch", "finditer", "findall", "sub", "split", "pattern"):
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)


def lazy_pattern(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return what serves as `re.compile(text, flags)`; a text that is no pattern fails at its first use."""
    return cast("re.Pattern[AnyStr]", _Waiting(text, flags))
