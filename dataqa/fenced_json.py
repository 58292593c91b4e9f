"""JSON in code fences: whether it is broken, and not just shortened or commented for a reader."""

from __future__ import annotations

import json
import re

from tunegate.core.patterns import lazy_pattern
from tunegate.dataqa.code_spans import Fence

# Left out, commented or to be filled in: nobody takes such a piece for data.
_SHORTENED = lazy_pattern(r"\.\.\.|\u2026|(?<!:)//|/\*|^\s*#|<\w|\{\{|\$\{|\{%|^\s*-{3}", re.MULTILINE)
_SPACE = lazy_pattern(r"[\s,]*")


def reason(fence: Fence) -> str:
    """Return why the JSON of a closed fence is broken; empty where it is not, or where it is meant for a reader.

    Only a piece that begins as an object or a list is looked at. Several values, with or without commas between
    them, are sound: such are lines of data.
    """
    code = fence.code.strip()
    if fence.language != "json" or not code.startswith(("{", "[")) or _SHORTENED.search(code):
        return ""
    decoder, position = json.JSONDecoder(), 0
    try:
        while position < len(code):
            _, position = decoder.raw_decode(code, position)
            space = _SPACE.match(code, position)
            position = space.end() if space else position
    except json.JSONDecodeError as error:
        return f"{error.msg[0].lower()}{error.msg[1:]} in its line {error.lineno}"
    except RecursionError:
        return "nested too deep"
    return ""
