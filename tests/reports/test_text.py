"""What an excerpt holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunegate.reports.text import MOST_BREAKS, excerpt, passage


def test_an_excerpt_says_what_it_leaves_out() -> None:
    assert excerpt("abc", 3).left_out == 0
    cut = excerpt("a" * 1_000_000, 10)
    assert (cut.text, cut.left_out) == ("a" * 10, 999_990)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("\n" * 14, "(blank: ↵×14)"),
        (" \n\t", "(blank: ␣ ↵ ⇥)"),
        (" \n" * 9, "(blank: ␣ ↵ ␣ ↵ ␣ ↵ …)"),
        ("\u00a0", "(blank: U+00A0)"),
        ("a\n\n\nb", "a\n\n\nb"),
        ("a\n\n\n\nb", "a\n↵×4\nb"),
        ("a \r\n \r\n\r\n\t\r\n\r\nb", "a\n↵×5\nb"),
        ("refund", "refund"),
    ],
)
def test_blanks_of_a_passage_show(text: str, shown: str) -> None:
    assert passage(text).text == shown


@given(st.text(alphabet="a \n\t", max_size=200))
def test_a_passage_keeps_words_and_has_few_breaks_in_a_row(text: str) -> None:
    found = passage(text).text
    assert "\n" * (MOST_BREAKS + 1) not in found
    assert "".join(found.split()).count("a") == text.count("a") + (found.startswith("(blank") and 1)
    assert (found == "") == (text == "")


def test_a_passage_is_cut_before_it_is_counted() -> None:
    cut = passage("\n" * 10, 4)
    assert (cut.text, cut.left_out) == ("(blank: ↵×4)", 6)
