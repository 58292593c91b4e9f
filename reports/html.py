"""A saved run as one self-contained HTML page: no request leaves it, and no text of a chat can act in it.

Style and script stand inside, and the page's own policy lets nothing but these two apply and run (by SHA-256).
Data reaches the page as escaped text, or packed in base 64 for the script, which sets nothing but text.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tunegate.core.visible import visible
from tunegate.reports.view import page_view

_FOLDER = Path(__file__).resolve().parent


def render(
    result: Mapping[str, Any],
    samples: Iterable[Mapping[str, Any]],
    ledger: Iterable[Mapping[str, Any]],
    timing: Mapping[str, Any] | None,
) -> str:
    """Return the page for a result, its evaluated rows, its ledger and its clock times.

    Each part of `result` may be missing, and the page then says that it was not done. Same arguments, same bytes.
    """
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = (_FOLDER.joinpath(name).read_text(encoding="utf-8") for name in ("style.css", "page.js"))
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    page = environment.get_template("page.html").render(
        page=page_view(result, samples, ledger, timing),
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
        content_policy=policy,
    )
    # The page's own text has no hidden signs: what is left of them came in by a way that was not thought of.
    return visible(page)


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
