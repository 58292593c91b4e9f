"""Cleaning of text: each fault, what must stay, and that cleaning twice is cleaning once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.dataqa.clean import clean


@pytest.mark.parametrize(
    ("text", "expected", "rules"),
    [
        ("GrÃ¼ÃŸe aus KÃ¶ln", "Grüße aus Köln", ("TXT001",)),
        ("itâ€™s fine", "it’s fine", ("TXT001",)),
        ("caf\x85", "caf…", ("TXT001",)),
        ("a\x00b\x07c", "abc", ("TXT002",)),
        ("one\r\ntwo\rthree\r\r\nfour", "one\ntwo\nthree\nfour", ("TXT007",)),
        ("one\x0ctwo", "one\ntwo", ("TXT002",)),
        ("\x1b[31mred\x1b[0m", "red", ("TXT002",)),
        ("\x1b]0;title\x07red\x1b]8;;x\x1b\\", "red", ("TXT002",)),
        ("voilÃ  dÃ©jÃ  vu", "voilà déjà vu", ("TXT001",)),
        ("pay\u202eload", "payload", ("TXT003",)),
        ("\ufeffpar\u00adcel\u200b", "parcel", ("TXT003", "TXT007")),
        ("a\ufe0f\ufe01\ufe02b", "a\ufe0fb", ("TXT003",)),
        ("a\u200db", "ab", ("TXT003",)),
        ("hi\U000e0041there", "hithere", ("TXT003",)),
        ("cafe\u0301", "café", ("TXT004",)),
        ("  Paris. ", "Paris.", ("TXT007",)),
        ("two\u00a0words, and\u00a0 three", "two words, and  three", ("TXT007",)),
        ("a\n\n\n\n\n\n\nb", "a\n\n\n\nb", ("TXT007",)),
        ("a \t\nb\n  \nc", "a\nb\n\nc", ("TXT007",)),
    ],
)
def test_each_fault_is_mended_and_named(text: str, expected: str, rules: tuple[str, ...]) -> None:
    found = clean(text)
    assert (found.text, found.rules) == (expected, rules)


@pytest.mark.parametrize(
    "text",
    [
        "Plain text, with a café and a naïve “quote” – fine.",
        "👩\u200d💻 and ❤\ufe0f\u200d🔥 and 🏳\ufe0f\u200d🌈",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "नमस्\u200dते",
        "می\u200cخواهم",
        "API\u200cها",
        "שלום `x`\u200f!",
        "10\u00a0000\u00a0€, z.\u00a0B. «\u00a0oui\u00a0» et toi\u202f?",
        "Why does my page show GrÃ¼ÃŸe? Is it the encoding?",
        "神 and `e\u0301\u00a0` and ``x ` \u200b``",
        "ภาษา\u200bไทย",
        "first line  \nbroken by Markdown",
        "a\n\n\n\nb",
        "    def f():\n        return 1",
        "Schöne Grüße – „ä“",
        "",
    ],
)
def test_what_is_right_stays(text: str) -> None:
    assert clean(text).text == text
    assert clean(text).rules == ()


@pytest.mark.parametrize("fence", ["```", "~~~", "````"])
def test_code_fences_are_left_alone(fence: str) -> None:
    code = f"{fence}python\nx\u00a0=\t1   \n\n\n\n\n\ny = 'e\u0301\u200b'\n{fence}"
    found = clean(f"Look:\u00a0here\n{code}\nand\u00a0there")
    assert found.text == f"Look: here\n{code}\nand there"


def test_an_open_fence_is_code_to_the_end() -> None:
    text = "Look:\n```\nx\u00a0= 1"
    assert clean(text).text == text


def test_long_runs_of_space_take_no_time() -> None:
    assert clean("a" + " " * 200_000 + "b" + "\n" * 200_000 + "c").text.endswith("\n\n\n\nc")


DIRTY = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from(
            [*" \n\t\r`~abÃ¼â€™\x80\x99", *"\u00a0\u200b\u200c\u200d\u202e\u0301\ufe0f\u200f", *"👩💻🏴ש"]
        ),
    ),
    max_size=40,
)


@settings(max_examples=500, deadline=None)
@given(DIRTY)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    once = clean(text)
    assert clean(once.text).text == once.text
    assert clean(once.text).rules == ()
    assert bool(once.rules) == (once.text != text)
