from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunegate.dataqa.clean import STEPS
from tunegate.dataqa.hiding import hiding


def read(text: str) -> str:
    made, end = "", 0
    for start, stop, meant in hiding(text):
        assert end <= start < stop
        made, end = made + text[end:start] + meant, stop
    return made + text[end:]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("plain\nGrüße\t„ja“", "plain\nGrüße\t„ja“"),
        ("a\u200bb\u0000c\u00add\ufe0fe\U000e0101f", "abcdef"),
        ("a\x1b[31mred\x1b[0m", "ared"),
        (r"\u0067hp \\u0067 \\\\u0067 \x67", "ghp g g g"),
        (r"a\nb\tc\"d\/e", 'a\nb\tc"d/e'),
        (r"a\u200bb\u00adc\u0000d", "abcd"),
        (r"\ud83d\ude00 \ud83d", "\U0001f600 \ud83d"),
        (r"C:\dir \\ \u12 \x4 \q", r"C:\dir \\ \u12 \x4 \q"),
    ],
)
def test_what_is_read(text: str, meant: str) -> None:
    assert read(text) == meant


@given(st.text())
def test_what_json_escapes_is_read_as_its_text(text: str) -> None:
    bare = read(text.replace("\\", ""))
    assert read(json.dumps(bare)[1:-1].replace("\\\\", "")) == read(bare)


@pytest.mark.parametrize("rule", ["TXT002", "TXT003"])
@pytest.mark.parametrize("code", [*range(0x20), *range(0x7F, 0xB0), *range(0x2000, 0x2070), 0xFEFF, 0xE0061])
def test_what_a_repair_takes_out_is_not_seen(rule: str, code: int) -> None:
    text = f"gh{chr(code)}p"
    if STEPS[rule](text) == "ghp":
        assert read(text) == "ghp"


def test_many_backslashes_take_no_longer_than_their_number() -> None:
    for text in ("\\" * 100_000, "\\\\n" * 50_000, "\\ud83d" * 20_000):
        start = time.perf_counter()
        hiding(text)
        assert time.perf_counter() - start < 3
