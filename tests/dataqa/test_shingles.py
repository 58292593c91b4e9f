"""Likeness of texts."""

from __future__ import annotations

import pytest

from tunegate.dataqa.shingles import shingles, similarity


def test_words_are_compared_in_runs_of_five() -> None:
    assert shingles("One two THREE four five, six!") == {
        ("one", "two", "three", "four", "five"),
        ("two", "three", "four", "five", "six"),
    }
    assert similarity("a b c d e f", "a b c d e g") == pytest.approx(1 / 3)


def test_a_short_text_is_one_shingle() -> None:
    assert shingles("Hi there") == {("hi", "there")}
    assert similarity("Hi there!", "hi  THERE") == 1.0
    assert similarity("Hi there", "Hi you") == 0.0
    assert shingles("") == frozenset()
    assert similarity("", "") == 0.0
    assert similarity("???", "???") == 1.0


def test_characters_are_compared_after_folding() -> None:
    assert shingles("Abc  DE\nF", "char5") == {"abc d", "bc de", "c de ", " de f"}


def test_scripts_without_spaces_are_compared_by_characters() -> None:
    assert shingles("これは日本語の文章です") == shingles("これは日本語の文章です", "char5")
    assert similarity("これは日本語の文章ですか", "これは日本語の文章ですよ") > 0.7
    assert shingles("Das Wort 日本 in a German Satz, der lang ist") != shingles(
        "Das Wort 日本 in a German Satz, der lang ist", "char5"
    )
