"""Every form of a check by name, and the module that writes it: its `lines(result, look)` gives the text.

A module is imported only when its form is asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tunegate.dataqa.output import Format

FORMATS = {
    "text": "tunegate.dataqa.output_text",
    "json": "tunegate.dataqa.output_json",
    "sarif": "tunegate.dataqa.output_sarif",
    "junit": "tunegate.dataqa.output_junit",
    "github": "tunegate.dataqa.output_github",
    "gitlab": "tunegate.dataqa.output_gitlab",
    "markdown": "tunegate.dataqa.output_markdown",
}


def format_named(name: str) -> Format:
    """Return a form of the table."""
    lines: Format = importlib.import_module(FORMATS[name]).lines
    return lines
