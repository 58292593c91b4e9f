"""Figures remember their place, and what is absent says so."""

from __future__ import annotations

import math

import pytest

from tunegate.reports.figures import ABSENT, Figure, Node, say

RESULT = {
    "metrics": [{"id": "a", "value": 0.5}, {"id": "b", "value": None}],
    "by/name": {"x~y": 2, "*": 3, "#1": 4},
}


def test_a_place_is_a_json_pointer() -> None:
    node = Node(RESULT)
    assert node.at("metrics", 0, "value").key == "/metrics/0/value"
    assert node.at("by/name", "x~y").key == "/by~1name/x~0y"
    assert node.at("by/name", "*").key == "/by~1name/~2"
    assert node.at("by/name", "#1").key == "/by~1name/~31"
    assert node["metrics"].find(id="b").key == "/metrics/1"


def test_what_is_made_of_children() -> None:
    node = Node(RESULT)
    assert node["by/name"].total() == Figure(9, "/by~1name/*", "count")
    assert node["metrics"].size() == Figure(2, "/metrics/#", "count")
    assert node["metrics"].tally("id", "a") == Figure(1, "/metrics/#id=a", "count")
    assert not node["metrics"].total("value").known  # one of them is missing
    assert not node["missing"].total().known
    assert Node({}).total().value == 0


@pytest.mark.parametrize("value", [ABSENT, None, math.nan, math.inf, "12", True, []])
def test_what_is_no_number_is_not_measured(value: object) -> None:
    figure = Figure(value, "/x", "percent")
    assert figure.text == "not measured"
    assert "0" not in figure.__html__()


def test_absent_nodes_are_absent_all_the_way() -> None:
    node = Node(RESULT).at("metrics", 7, "value", "deeper")
    assert not node
    assert node.key == "/metrics/7/value/deeper"
    assert node.show("count").text == "not measured"
    assert node.show("text").text == "not recorded"
    assert list(node) == []
    assert list(node.items()) == []


def test_html_is_escaped() -> None:
    attack = '"><script>'
    for kind in ("text", "code", "digest", "setting"):
        markup = Figure(attack, f"/{attack}", kind).__html__()
        assert "<script>" not in markup
        assert "&#34;&gt;&lt;script&gt;" in markup
    assert "<script>" not in say("{} and {}", attack, Figure(1, attack, "count"))


def test_forms() -> None:
    assert Figure("ab" * 32, "/x", "digest").text == "abababababab"
    assert Figure(True, "/x", "text").text == "yes"
    assert Figure(None, "/x", "setting").text == "none"
    assert Figure(["a"], "/x", "text").text == '["a"]'
    assert Figure(["end of turn", "\n"], "/x", "setting").text == "end of turn, \n"
    assert Figure([], "/x", "setting").text == "none"
    assert Figure([1], "/x", "setting").text == "[1]"
    assert Figure(0.00994, "/x", "percent", "low", 0.01).text.startswith("0.994")
    assert Figure(None, "/x", "percent", "low").text == "not measured"
    assert 'data-side="high"' in Figure(0.5, "/x", "percent", "high").__html__()
