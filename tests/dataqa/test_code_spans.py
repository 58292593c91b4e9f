"""Code in Markdown: which stretches of a text are fences and spans, and that none of the text is lost."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.dataqa.code_spans import fences, pieces, prose


def code(text: str) -> list[str]:
    return [piece for piece, is_code in pieces(text) if is_code]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", []),
        ("a `b` c", ["`b`"]),
        ("a ``b ` c`` d", ["``b ` c``"]),
        ("it`s one tick", []),
        ("`never\n\nclosed`", []),
        ("`over\none line`", ["`over\none line`"]),
        ("x\n```py\na\n```\ny", ["```py\na\n```"]),
        ("~~~\n```\n~~~\ny", ["~~~\n```\n~~~"]),
        ("````md\n```\na\n```\n````", ["````md\n```\na\n```\n````"]),
        ("1. list\n   ```\n   a\n   ```\nz", ["   ```\n   a\n   ```"]),
        ("> ```\n> a\n> ```", ["> ```\n> a\n> ```"]),
        ("```inline``` and `b`", ["```inline```", "`b`"]),
        ("open\n```\na `b`", ["```\na `b`"]),
        ("x\n```\r\na\r\n```\r\ny", ["```\r\na\r\n```\r"]),
        ("```\na\n``` not closed here\n```", ["```\na\n``` not closed here\n```"]),
    ],
)
def test_what_is_code(text: str, expected: list[str]) -> None:
    assert code(text) == expected


@pytest.mark.parametrize(
    ("text", "language", "inside", "closed"),
    [
        ("```JSON title\n{}\n```", "json", "{}\n", True),
        ("```\n```", "", "", True),
        ("a\n~~~sh\nls", "sh", "ls", False),
        ("```\ncode```", "", "code```", False),
    ],
)
def test_what_a_fence_holds(text: str, language: str, inside: str, closed: bool) -> None:
    (fence,) = fences(text)
    assert (fence.language, fence.code, fence.is_closed) == (language, inside, closed)


def test_prose_is_what_is_left() -> None:
    assert prose("a `b` c\n```\nd\n```\ne") == "a \ufffc c\n\ufffc\ne"


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("a`~ >\n\t"), max_size=60))
def test_no_sign_is_lost(text: str) -> None:
    assert "".join(piece for piece, _ in pieces(text)) == text
    assert all(text[fence.start : fence.end].strip(" \t>")[:3] in ("```", "~~~") for fence in fences(text))


@pytest.mark.parametrize(
    "text", ["`" * 20_000, "` `` " * 5_000, "```\n" * 5_000, " " * 50_000 + "```", "~`" * 10_000]
)
def test_hostile_ticks_take_no_time(text: str) -> None:
    started = time.process_time()
    list(pieces(text))
    assert time.process_time() - started < 1
