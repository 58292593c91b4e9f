from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tunegate.dataqa.hit import KEEP

Ask = Callable[..., list[tuple[str, str]]]
Mend = Callable[..., Any]

USER = {"role": "user", "content": "Hi"}
ANSWER = {"role": "assistant", "content": "Hello"}


def weighed(*weights: Any) -> dict[str, Any]:
    return {"messages": [item for weight in weights for item in (USER, {**ANSWER, "weight": weight})]}


@pytest.mark.parametrize(
    ("weight", "mended"),
    [(True, 1), (False, 0), (1.0, 1), (0.0, 0), ("1", 1), (" 0 ", 0), ("true", 1), ("1.0", 1),
     (0.5, KEEP), (2, KEEP), (-1, KEEP), ("high", KEEP), ([1], KEEP), ({}, KEEP), ("0.5", KEEP)],
)  # fmt: skip
def test_what_can_mean_0_or_1_only_is_written_so(ask: Ask, mend: Mend, weight: Any, mended: Any) -> None:
    row = weighed(weight, 1)

    assert ask(row) == [("CHAT018", "error")]
    found = mend(row, "CHAT018")
    assert found is KEEP if mended is KEEP else found == weighed(mended, 1)
    if mended is not KEEP:
        assert type(found["messages"][1]["weight"]) is int


def test_null_is_no_weight_where_tables_are_filled_up_with_it(ask: Ask, mend: Mend) -> None:
    assert ask(weighed(None)) == []
    assert ask(weighed(None), "openai") == [("CHAT018", "error")]
    assert mend(weighed(None), "CHAT018", "openai") == {"messages": [USER, ANSWER]}


def test_a_weight_of_the_user_is_told_once_whatever_it_is(ask: Ask, mend: Mend) -> None:
    for weight in (0, 1, 0.5, "1"):
        row = {"messages": [{**USER, "weight": weight}, ANSWER]}
        assert ask(row, "azure-openai") == [("CHAT019", "warning")]
        assert mend(row, "CHAT019", "azure-openai") == {"messages": [USER, ANSWER]}


def test_a_row_from_which_nothing_is_learnt(ask: Ask) -> None:
    assert ask(weighed(0, 0), "azure-openai") == [("CHAT020", "error")]
    assert ask(weighed(0, 0), "hf") == [("CHAT020", "warning")]
    assert ask(weighed(0, 1), "azure-openai") == []
    assert ask({"messages": [USER, {**ANSWER, "weight": 0}, USER, ANSWER]}, "azure-openai") == []
    assert ask(weighed(False), "azure-openai") == [("CHAT018", "error")], "one fault, one finding"
