"""Answers that are the question again, and tasks that ask for the text back."""

from __future__ import annotations

import pytest

from tunegate.dataqa.copying import copied, wants_text_back

TEXT = "How long does a transfer to France take when I order it on a Friday evening?"
GERMAN = "Wie lange dauert eine Überweisung nach Frankreich, wenn ich sie am Freitagabend aufgebe?"


@pytest.mark.parametrize("text", [TEXT, GERMAN, "日本語の文章を作るためにこれは例です。" * 3])
def test_the_question_again_is_a_copy(text: str) -> None:
    assert copied(text, text) == 1.0
    assert copied(f" {text}", f"{text}\n") == 1.0


def test_a_changed_word_is_a_copy_still() -> None:
    ratio = copied(TEXT.replace("long", "much"), TEXT)
    assert ratio is not None
    assert 0.9 < ratio < 1


@pytest.mark.parametrize(
    ("answer", "asked", "instructions"),
    [
        (TEXT, f"Repeat: {TEXT}", ""),
        (TEXT, f"Correct the spelling: {TEXT}", ""),
        (TEXT, TEXT, "You are a proofreader and give the text back with its spelling corrected."),
        (GERMAN, f"Korrigiere: {GERMAN}", ""),
        (GERMAN, GERMAN, "Du verbesserst die Rechtschreibung."),
        (GERMAN, GERMAN, "Übersetze ins Deutsche, was nicht deutsch ist."),
        ("Good morning!", "Good morning!", ""),
        ("Nice to meet you too, Anna.", "Nice to meet you too, Anna.", ""),
        ("It takes one working day, or three when you order it on a Friday evening or later.", TEXT, ""),
        ("How long does a fish from France live when I keep it in a glass of cold water?", TEXT, ""),
        (TEXT, "", ""),
        ("", TEXT, ""),
    ],
)
def test_what_was_asked_for_or_is_short_or_differs_is_none(answer: str, asked: str, instructions: str) -> None:
    assert copied(answer, asked) is None or wants_text_back(instructions)


def test_long_texts_are_compared_in_no_time() -> None:
    assert copied("word " * 100_000, "word " * 100_000) == 1.0
