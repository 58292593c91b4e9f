"""Whether JSON is asked for, and whether an answer is JSON."""

from __future__ import annotations

import pytest

from tunegate.dataqa.jsonanswers import asks_for_json, why_no_json


@pytest.mark.parametrize(
    "text",
    [
        "Respond only in valid JSON.",
        "You are a helpful bot. Always answer in JSON. Be brief.",
        "Return the topic as a JSON object.",
        "Your answer must be JSON with the keys topic and urgency.",
        "Output only JSON.",
        "Reply with JSON only",
        "You sort mails and return JSON.",
        "Antworte ausschließlich in JSON.",
        "Du sortierst Mails. Antworte nur als gültiges JSON.",
        "Gib das Ergebnis als JSON aus.",
    ],
)
def test_an_order_for_every_answer_counts(text: str) -> None:
    assert asks_for_json(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "You are an expert in JSON.",
        "You help with JSON files.",
        "Never answer in JSON.",
        "Do not return JSON.",
        "If the user asks for data, answer in JSON.",
        "Answer in JSON when a form is sent.",
        "For each function call return a JSON object with name and arguments.",
        "Answer in plain text or JSON.",
        "Return JSON lines, one per mail.",
        "Antworte nicht in JSON.",
        "Falls Daten verlangt werden, antworte in JSON.",
        "Du erklärst, was JSON ist.",
        "The input is JSON. Answer in English.",
    ],
)
def test_conditions_subjects_and_tools_do_not(text: str) -> None:
    assert not asks_for_json(text)


@pytest.mark.parametrize(
    "text", ['{"a": 1}', "[1, 2]", '```json\n{"a": 1}\n```', "```\n[]\n```", ' {"a": "ü"}\n', "5"]
)
def test_json_is_json_in_a_fence_too(text: str) -> None:
    assert why_no_json(text) is None


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1,}',
        "{'a': 1}",
        'Here it is: {"a": 1}',
        '```json\n{"a": 1,}\n```',
        '{"a": NaN}',
        '{"a": 1',
        "ok",
        "\ud83d",
    ],
)
def test_what_is_none_is_explained(text: str) -> None:
    why = why_no_json(text)
    assert why
    assert "\n" not in why
