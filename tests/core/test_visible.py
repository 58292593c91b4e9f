"""Hidden signs are named, everything else stays."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.core.visible import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Grüße, 你好, 👩\u200d🔬", "Grüße, 你好, 👩\u200d🔬"),
        ("a\tb\r\nc\n", "a\tb\nc\n"),
        ("a\rb", "a⟨U+000D⟩b"),
        ("\u202egnp.exe", "⟨U+202E⟩gnp.exe"),
        ("\x00\x1b[31m", "⟨U+0000⟩⟨U+001B⟩[31m"),
        ("\ud800", "⟨U+D800⟩"),
        ("\U000e0041", "⟨U+E0041⟩"),
        ("\ufffd", "\ufffd"),
    ],
)
def test_examples(text: str, shown: str) -> None:
    assert visible(text) == shown


@settings(deadline=None, max_examples=200)
@given(st.text())
def test_nothing_hidden_is_left_and_naming_twice_changes_nothing(text: str) -> None:
    shown = visible(text)
    assert visible(shown) == shown
    assert all(sign in "\t\n" or unicodedata.category(sign) not in ("Cc", "Cs") for sign in shown)
    shown.encode()
