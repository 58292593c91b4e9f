"""Text in Markdown does nothing but stand there."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tunegate.core.markdown import MOST_BYTES, at_start, cut, safe

ATTACKS = [
    "<img src=x onerror=alert(1)>",
    "a | b | c",
    "`code` ``` fence",
    "[link](https://example.org) ![x](http://e.org)",
    "@everyone #12 www.example.org",
    "line\nbreak\r\n# heading",
    "**bold** _it_ ~~no~~ $x$",
    "\u202e\x1b[31m",
    "</details>",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_text_does_nothing(attack: str) -> None:
    shown = safe(attack)
    assert "\n" not in shown
    assert not re.search(r"(?<!\\)[|`\[\]*_$!]", shown)
    assert not re.search(r"[<>]|@\w|://\w|www\.\w|#\d|[\x00-\x1f\u202e]", shown)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from([*ATTACKS, "1.", "- ", "+", "=", "---", ">", "\\", "&lt;"]) | st.text(max_size=5)))
def test_at_the_start_of_a_line_it_is_one_paragraph(parts: list[str]) -> None:
    shown = at_start(safe("".join(parts)))
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(f"before\n\n{shown}\n\nafter")
    blocks = {token.type for token in tokens}
    assert blocks <= {"paragraph_open", "inline", "paragraph_close"}
    inside = {child.type for token in tokens for child in token.children or ()}
    assert inside <= {"text", "text_special", "softbreak"}


def test_lines_are_cut_whole() -> None:
    assert cut(["a", "b", ""], "Cut.") == "a\nb\n"
    text = cut(["ä" * 999] * 100, "Cut.")
    assert MOST_BYTES - 2_100 < len(text.encode()) <= MOST_BYTES
    assert text.endswith("ä\n\nCut.\n")
    assert cut(["x" * 70_000], "Cut.") == "\n\nCut.\n"
