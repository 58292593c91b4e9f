"""Whether a line holds one of the byte strings that a rule needs: asked of every line by every such rule.

Searching for each string costs more than most rules do. So only the rarest byte of each is searched for, which
takes a tenth of the time, and the rest of the string is looked at around it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache

from tunegate.dataqa.rule import Rule

# From the most common bytes of chats in JSON lines to rarer ones; what is not named is rarer still.
_COMMON = b" etaoinsrhldcumfgypwb,.k'v-xjqzITSAWHCMBPNDEOLRFGUYVKJQXZ0123456789\":{}[]"
_RANK = {byte: place for place, byte in enumerate(_COMMON)}


@cache
def finder(needs: Sequence[bytes]) -> Callable[[bytes], bool]:
    """Return a function that says whether a line holds one of `needs`."""
    around: dict[int, list[bytes]] = {}
    for need in needs:
        place = max(range(len(need)), key=lambda index: _RANK.get(need[index], len(_COMMON)))
        before, after = re.escape(need[: place + 1]), re.escape(need[place + 1 :])
        around.setdefault(need[place], []).append(b"(?<=%b)(?=%b)" % (before, after))
    searches = [
        re.compile(re.escape(bytes([rarest])) + b"(?:%b)" % b"|".join(found)).search
        for rarest, found in around.items()
    ]

    def holds(raw: bytes) -> bool:
        for search in searches:  # noqa: SIM110  # any() would take longer than the searches
            if search(raw):
                return True
        return False

    return holds


def look_of(rule: Rule) -> Callable[[bytes], bool] | None:
    """Return what says of a line whether a rule may find anything there; None where the rule must be asked."""
    return rule.may_hit or (finder(rule.needs) if rule.needs else None)
