"""Screening of files: one line for each row, no text in it, nothing unjudged allowed, nothing half written."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.core.errors import InputError, ProviderError, UsageError
from tunegate.safety.judgement import CATEGORIES, DECISIONS, Judgement, Score
from tunegate.safety.screen import BACKENDS, Screener, screen_file, verdicts

BARS = dict.fromkeys(CATEGORIES, 0.9)


class Words:
    """A back-end for tests: the words of a text say what it answers. Like a service, it has no probabilities."""

    name = "words"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def describe(self) -> dict[str, Any]:
        return {"backend": self.name, "model": {"id": "words"}, "api_version": "2024-09-01", "note": "a test"}

    def screen(self, texts: Sequence[str]) -> list[Judgement]:
        self.asked += texts
        return [self._judge(text) for text in texts]

    def _judge(self, text: str) -> Judgement:
        if "timeout" in text:
            return Judgement({}, error="no answer in 10 s")
        if "listed" in text:
            return Judgement({}, blocklists=("names",))
        severity = 6 if "awful" in text else 2 if "rude" in text else 4 if "bad" in text else 0
        band = {0: "none", 2: "low", 4: "medium", 6: "high"}[severity]
        return Judgement({name: Score(severity, None, band) for name in CATEGORIES})  # type: ignore[arg-type]


SEVERITIES = dict.fromkeys(CATEGORIES, 6)
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(*lines: Any, name: str = "chats.jsonl") -> Path:
        path = tmp_path / name
        rows = (line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
        path.write_bytes(b"".join(row + b"\n" for row in rows))
        return path

    return make


def chat(user: str, assistant: str = "fine") -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]}


def screened(
    paths: Sequence[Path], screener: Screener, **options: Any
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    out = paths[0].parent / "out" / "safety.jsonl"
    section = screen_file(paths, screener, options.pop("block_at", SEVERITIES), out, **options)
    return [json.loads(line) for line in out.read_bytes().splitlines()], section


def test_a_row_is_as_bad_as_its_worst_message(write: Write) -> None:
    path = write(
        chat("good"), chat("bad"), chat("rude", "awful"), chat("listed"), chat("awful", "timeout"), chat("rude")
    )
    lines, section = screened([path], Words())

    assert [line["decision"] for line in lines] == ["allow", "flag", "block", "block", "error", "allow"]
    assert lines[2]["where"] == [{"message": 1, "side": "completion", "decision": "block"}]
    assert [where["decision"] for where in lines[4]["where"]] == ["block", "error"]
    assert lines[2]["categories"]["hate"] == {"severity": 6, "probability": None, "band": "high", "blocked": True}
    assert lines[1]["categories"]["hate"]["blocked"] is False
    assert lines[3]["blocklists"] == ["names"]
    assert lines[4]["reason"] == "no answer in 10 s"
    assert {line["api_version"] for line in lines} == {"2024-09-01"}
    assert section["rows"] == 6
    assert [section[f"rows_{name}"] for name in ("blocked", "flagged", "error")] == [2, 1, 1]
    assert section["counts"]["prompt"] == {"allow": 3, "flag": 1, "block": 2, "error": 0}
    assert section["counts"]["completion"] == {"allow": 4, "flag": 0, "block": 1, "error": 1}
    assert section["blocked_by"]["violence"] == 2
    assert section["bands"]["hate"]["prompt"] == {"none": 1, "low": 2, "medium": 1, "high": 1}


def test_lines_have_exactly_these_fields(write: Write) -> None:
    lines, _ = screened([write(chat("hello"))], BACKENDS["local"](None), block_at=BARS)

    assert list(lines[0]) == [
        "row_id", "path", "line", "decision", "reason", "categories", "where", "blocklists",
        "backend", "api_version",
    ]  # fmt: skip
    assert lines[0]["api_version"] is None
    assert all(score["severity"] is None for score in lines[0]["categories"].values())


def test_broken_lines_are_errors_with_a_reason_and_reading_goes_on(write: Write) -> None:
    path = write(
        b"{'messages': []}", b"", b'{"messages": 1}', b"\xff", b"[]", b'{"messages": [], "messages": []}',
        chat("good"), b'{"messages": [{"role": "user", "content": "\\ud800"}]}',
        b'{"messages": [{"role": "user", "content": "good"}], "id": 12345678901234567890123}', b" \r",
    )  # fmt: skip
    lines, section = screened([path], Words())

    assert [line["line"] for line in lines] == [1, 3, 4, 5, 6, 7, 8, 9], "blank lines are passed over"
    assert [line["decision"] for line in lines] == [*["error"] * 5, "allow", "error", "allow"]
    assert all(line["reason"] for line in lines if line["decision"] == "error")
    assert section["rows_error"] == 6


def test_an_empty_answer_is_never_allowed(write: Write) -> None:
    lines, section = screened([write(chat("good", ""), chat("good"), chat("awful", " \u200b"))], Words())

    assert [line["decision"] for line in lines] == ["error", "allow", "error"]
    assert lines[0]["reason"] == "messages[1] is an empty answer: there is no text to judge"
    assert (section["rows_error"], section["counts"]["completion"]["allow"]) == (2, 1)


def test_no_text_of_a_chat_is_written(write: Write) -> None:
    secret = "xylophone"
    broken = json.dumps(chat(secret)).encode()[:-1]
    path = write(
        chat(secret, secret), broken, chat(f"{secret} awful"), {"messages": [{"role": secret}]}, {secret: 1}
    )
    lines, section = screened([path], Words())

    assert secret not in json.dumps([lines, section])


def test_a_local_screen_does_not_answer_a_policy_in_severities(write: Write) -> None:
    lines, section = screened(
        [write(chat("hello"))], BACKENDS["local"](None), block_at=dict.fromkeys(CATEGORIES, 4)
    )

    assert lines[0]["decision"] == "error"
    assert section["rows_error"] == 1


def test_paths_are_as_given_or_relative(write: Write, tmp_path: Path) -> None:
    paths = [write(chat("a"), name="one.jsonl"), write(chat("b"), name="two.jsonl")]

    assert [line["path"] for line in screened(paths, Words())[0]] == [path.as_posix() for path in paths]
    assert [line["path"] for line in screened(paths, Words(), relative_to=tmp_path)[0]] == [
        "one.jsonl",
        "two.jsonl",
    ]


@pytest.mark.parametrize("content", [b"", b"\n\n \n"])
def test_a_file_without_rows_is_an_error_and_nothing_is_written(tmp_path: Path, content: bytes) -> None:
    path, out = tmp_path / "empty.jsonl", tmp_path / "safety.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputError, match="holds no row"):
        screen_file([path], Words(), SEVERITIES, out)
    with pytest.raises(InputError, match=r"missing\.jsonl"):
        screen_file([tmp_path / "missing.jsonl"], Words(), SEVERITIES, out)
    assert [item.name for item in tmp_path.iterdir()] == ["empty.jsonl"]


def test_a_back_end_that_fails_leaves_the_old_file(write: Write, tmp_path: Path) -> None:
    class Silent(Words):
        def screen(self, texts: Sequence[str]) -> list[Judgement]:
            return super().screen(texts)[1:]

    out = tmp_path / "safety.jsonl"
    out.write_text("old")
    with pytest.raises(ProviderError, match="0 judgements for 1 texts"):
        screen_file([write(chat("same", "same"))], Silent(), SEVERITIES, out)
    assert out.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 2


def test_bad_thresholds_are_refused_before_anything_is_judged(write: Write, tmp_path: Path) -> None:
    screener = Words()
    for bars in ({}, {"hate": 9}):
        with pytest.raises(UsageError):
            screen_file([write(chat("a"))], screener, bars, tmp_path / "out.jsonl")
        with pytest.raises(UsageError):
            verdicts(["a"], screener, bars)
    assert not screener.asked


def test_a_text_that_stands_in_every_chat_is_judged_once(write: Write) -> None:
    screener = Words()
    screened([write(*(chat("hello", str(number)) for number in range(50)))], screener)

    assert screener.asked.count("hello") == 1


def test_many_rows_are_done_in_batches_with_progress(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunegate.safety.screen._TEXTS_AT_ONCE", 7)
    calls: list[tuple[int, int]] = []
    path = write(*(chat(f"bad {number}") for number in range(40)))
    lines, _ = screened([path], Words(), advance=lambda done, total, what="": calls.append((done, total)))

    assert [line["line"] for line in lines] == list(range(1, 41))
    assert calls[-1] == (path.stat().st_size, path.stat().st_size)
    assert calls == sorted(calls)


def test_verdicts_answer_in_order_with_the_back_end() -> None:
    found = verdicts(["good", "awful", "timeout", "good"], Words(), SEVERITIES)

    assert [one["decision"] for one in found] == ["allow", "block", "error", "allow"]
    assert found[1]["categories"]["hate"]["blocked"] is True
    assert found[2]["reason"] == "no answer in 10 s"
    assert {one["backend"] for one in found} == {"words"}
    assert verdicts([], Words(), SEVERITIES) == []


message = st.fixed_dictionaries(
    {
        "role": st.sampled_from(["user", "assistant", "tool", "boss"]),
        "content": st.sampled_from(["good", "bad", "awful", "", "\u200b"]),
    }
)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(message, max_size=4), min_size=1, max_size=8))
def test_every_row_is_counted_once_and_the_same_bytes_come_again(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[dict[str, str]]]
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    path = folder / "chats.jsonl"
    path.write_text("".join(json.dumps({"messages": row}) + "\n" for row in rows))
    sections = [screen_file([path], Words(), SEVERITIES, folder / name) for name in ("one", "two")]
    lines = [json.loads(line) for line in (folder / "one").read_bytes().splitlines()]

    assert sections[0] == sections[1]
    assert (folder / "one").read_bytes() == (folder / "two").read_bytes()
    assert [line["line"] for line in lines] == list(range(1, len(rows) + 1))
    counts = [sum(line["decision"] == decision for line in lines) for decision in DECISIONS]
    assert counts[1:] == [sections[0][f"rows_{name}"] for name in ("flagged", "blocked", "error")]
    for line, row in zip(lines, rows, strict=True):
        clean = all(
            one["role"] != "boss"
            and one["content"] in ("good", "", "\u200b")[: 1 if one["role"] == "assistant" else 3]
            for one in row
        )
        assert (line["decision"] == "allow") == (clean and any(one["content"] == "good" for one in row))


@pytest.mark.shared
def test_the_shared_chats_are_not_over_blocked(shared: Path, tmp_path: Path) -> None:
    """Real harmless chats and questions: hardly any is flagged, none of the chats is blocked."""
    data = shared / "data"
    paths = [data / "chat/azureml_dialog.validation.jsonl", data / "intent/snips.validation.jsonl"]
    section = screen_file(paths, BACKENDS["local"](None), BARS, tmp_path / "safety.jsonl")

    assert section["rows_error"] == 0
    assert section["rows_blocked"] <= 0.002 * section["rows"]
    assert section["rows_flagged"] <= 0.02 * section["rows"]
