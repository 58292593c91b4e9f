"""The gate's sentence and the page show one bound with the same digits, whichever side it is on."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.core.configuration import Gate
from tunegate.evals.gate import decide, policy_sha256
from tunegate.reports.figures import Node
from tunegate.reports.view_rules import rule_view


def metric(right: int, losses: int, gains: int, n: int) -> dict[str, Any]:
    return {
        "id": "accuracy",
        "unit": "share",
        "direction": "higher",
        "slice": {},
        "n": n,
        "n_unscored": 0,
        "value": right / n,
        "count": right,
        "delta": {"value": (gains - losses) / n, "pairs": n},
        "test": {"b": losses, "c": gains},
    }


def sentence_and_page(entry: dict[str, Any], rule: dict[str, float]) -> tuple[str, str, str]:
    """The check's verdict, the first number in its sentence, and the bound on the page without sign and unit."""
    policy = Gate.model_validate({"accuracy": rule})
    result = {"metrics": [entry], "policy": {"sha256": policy_sha256(policy)}}
    result |= decide(result, policy)
    line = rule_view(Node(result)["checks"][0], Node(result), set())
    said = re.search(r"\d[\d.]*", result["checks"][0]["message"])
    shown = re.search(r"\d[\d.]*", line.bound.text)
    assert said is not None
    assert shown is not None
    return result["checks"][0]["verdict"], said[0], shown[0]


def test_a_gain_of_the_example() -> None:
    verdict, said, shown = sentence_and_page(metric(340, 3, 231, 360), {"max_drop": 0.02})

    assert (verdict, said) == ("pass", shown)


@pytest.mark.parametrize("rule", [{"min": 0.85}, {"max_drop": 0.02}, {"min_gain": 0.1}])
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_sentence_and_page_agree(rule: dict[str, float], data: st.DataObject) -> None:
    n = data.draw(st.integers(20, 400))
    losses = data.draw(st.integers(0, n // 2))
    gains = data.draw(st.integers(0, n - losses))
    verdict, said, shown = sentence_and_page(metric(data.draw(st.integers(0, n)), losses, gains, n), rule)

    if verdict != "inconclusive" or "min" not in rule:
        assert said == shown
