"""What an excerpt holds."""

from __future__ import annotations

from tunegate.reports.text import excerpt


def test_an_excerpt_says_what_it_leaves_out() -> None:
    assert excerpt("abc", 3).left_out == 0
    cut = excerpt("a" * 1_000_000, 10)
    assert (cut.text, cut.left_out) == ("a" * 10, 999_990)
