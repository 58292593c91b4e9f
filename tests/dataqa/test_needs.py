from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.dataqa.catalog import RULES
from tunegate.dataqa.needs import finder

signs = st.lists(
    st.sampled_from([b"a", b":", b"<", b"|", b"\\", b"u", b"\n", b"\xef", b"."]), min_size=1, max_size=4
)
words = signs.map(b"".join)


@settings(deadline=None, max_examples=300)
@given(st.lists(words, min_size=1, max_size=4).map(tuple), st.lists(words, max_size=12).map(b"".join))
def test_a_line_is_found_when_it_holds_one_of_the_strings(needs: tuple[bytes, ...], line: bytes) -> None:
    assert finder(needs)(line) == any(need in line for need in needs)


@pytest.mark.parametrize("needs", sorted({rule.needs for rule in RULES if rule.needs}))
def test_every_string_that_a_rule_needs_is_found(needs: tuple[bytes, ...]) -> None:
    for need in needs:
        assert finder(needs)(b"x" + need + b"x")
        assert not finder((need,))(need[:-1])


def test_a_rule_is_asked_by_its_own_look_before_its_strings() -> None:
    plain = replace(RULES[0], needs=(), may_hit=None)
    assert plain.look is None
    by_strings, by_look = replace(plain, needs=(b"ab",)).look, replace(plain, may_hit=bytes.isascii).look
    assert by_strings is not None
    assert by_look is not None
    assert (by_strings(b"xabx"), by_strings(b"xax")) == (True, False)
    assert (by_look(b"a"), by_look(b"\xc3")) == (True, False)
