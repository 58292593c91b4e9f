"""The looks at a line never say no where a rule would find something, however its characters are written."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.dataqa.clean import mended
from tunegate.dataqa.row import Row
from tunegate.dataqa.rule import Rule
from tunegate.dataqa.rules_prose import RULES as PROSE_RULES
from tunegate.dataqa.rules_text import RULES as TEXT_RULES

WITH_LOOK = [rule for rule in (*TEXT_RULES, *PROSE_RULES) if rule.may_hit is not None]
BY_ID = {rule.id: rule for rule in (*TEXT_RULES, *PROSE_RULES)}


def written(text: str) -> Iterator[bytes]:
    """Give a row in the ways that writers of JSON have: characters as they are, or as escapes of either case."""
    row = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": text}]}
    yield json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass")
    yield json.dumps(row).encode()
    yield json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    yield "".join(
        part if number % 2 == 0 else part.upper() for number, part in enumerate(_escapes(json.dumps(row)))
    ).encode()


def _escapes(line: str) -> list[str]:
    import re

    return re.split(r"(?<=\\u)([0-9a-f]{4})", line)


def agrees(rule: Rule, text: str) -> None:
    for raw in written(text):
        assert rule.may_hit is not None
        row = Row(raw)
        if not row.decoded.faults and list(rule.check(row)):
            assert rule.may_hit(raw), (rule.id, raw)


@pytest.mark.parametrize("rule_id", ["TXT002", "TXT003", "TXT004", "TXT007"])
def test_every_character_that_is_mended_is_seen(rule_id: str) -> None:
    from tunegate.dataqa.text_looks import may_hold_inner_space

    look = BY_ID[rule_id].may_hit or may_hold_inner_space
    seen = 0
    for code in (*range(0x3100), *range(0xA000, 0xABFF), *range(0xF900, 0x10000), *range(0xE0000, 0xE0200)):
        sign = chr(code)
        if unicodedata.category(sign) == "Cs":
            continue
        for text in (f"a{sign}b", f"a {sign}b"):
            if mended(text, rule_id) != text:
                seen += 1
                assert look(json.dumps(text).encode()), hex(code)
                assert look(json.dumps(text, ensure_ascii=False).encode()), hex(code)
    assert seen > 2


@pytest.mark.parametrize("rule", WITH_LOOK, ids=lambda rule: rule.id)
def test_the_bad_example_is_seen_and_plain_text_is_not(rule: Rule) -> None:
    assert rule.may_hit is not None
    assert all(rule.may_hit(line) for line in rule.bad)
    assert not rule.may_hit(
        b'{"messages": [{"role": "user", "content": "Where is my parcel?\\nI wait, since Monday."}]}'
    )


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                *("Ã", "¼", "â", "€", "™", "Â", "ß", "“", "ð", "Ÿ", "˜", "\x92", " ", "a", "\n"),
                *(
                    "\u0000",
                    "\u200b",
                    "\u202e",
                    "\ufeff",
                    "e\u0301",
                    "\ufffd",
                    "\ufe0f",
                    "👩",
                    "\u200d",
                    "\U000e0041",
                ),
                *("&nbsp;", "<br>", "</p>", "&#39;", "p\u0430ypal", "ο", "Z", "\\n", "\\u00fc", "```", "~~~", "`"),
                *("\u00a0", "\u00ad", "\r", "\u2028", "\t", "  \n"),
            ]
        ),
        max_size=8,
    ).map("".join)
)
def test_whatever_a_rule_finds_is_seen(text: str) -> None:
    for rule in WITH_LOOK:
        agrees(rule, text)
