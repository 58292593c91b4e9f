"""The rules about characters: what they find, what they must let be, and repairs that change nothing else."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.core.findings import Severity
from tunegate.dataqa.check import CheckSettings, DataFile, check
from tunegate.dataqa.clean import STEPS, clean, mended
from tunegate.dataqa.fix import fix
from tunegate.dataqa.row import Row
from tunegate.dataqa.rules_text import RULES

Rules = dict[str, list[str]]


def chat(answer: str, user: str = "Hi", **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": user}, {"role": "assistant", "content": answer}], **more}


def found(row: dict[str, Any]) -> list[str]:
    """Return the ids of the rules that find something in a row."""
    raw = json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass")
    ids = []
    for rule in RULES:
        look = rule.look
        if look is None or look(raw):
            ids += [rule.id for _ in rule.check(Row(raw))]
    return ids


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Viele GrÃ¼ÃŸe aus KÃ¶ln", "TXT001"),
        ("that\x92s it", "TXT001"),
        ("She said â€œyesâ€\x9d.", "TXT001"),
        ("voilÃ  le problÃ¨me", "TXT001"),
        ("a\x00b", "TXT002"),
        ("a\x7fb", "TXT002"),
        ("page one\x0cpage two", "TXT002"),
        ("\x1b[31mred\x1b[0m", "TXT002"),
        ("a\x81b", "TXT002"),
        ("pay\u202eload", "TXT003"),
        ("zero\u200bwidth", "TXT003"),
        ("\ufeffHallo", "TXT003"),
        ("Hallo \ufeffWelt", "TXT003"),
        ("word\u2060joiner", "TXT003"),
        ("hidden\U000e0041\U000e0042", "TXT003"),
        ("a\u200db", "TXT003"),
        ("mark\u200e in Latin text", "TXT003"),
        ("cafe\u0301", "TXT004"),
        ("u\u0308ber", "TXT004"),
        ("\u212b is an angstrom", "TXT004"),
        ("caf\ufffd", "TXT005"),
        ("Gr\ufffd\ufffde", "TXT005"),
        (" Paris.", "TXT007"),
        ("Paris.\n", "TXT007"),
        ("two\u00a0words", "TXT007"),
        ("end \nof a line", "TXT007"),
        ("a\n\n\n\n\nb", "TXT007"),
        ("old\rMac", "TXT007"),
        ("mixed\r\nends\nhere", "TXT007"),
        ("Bundes\u00adland", "TXT007"),
    ],
)
def test_each_fault_is_found_by_its_rule_alone(text: str, rule: str) -> None:
    assert found(chat(text)) == [rule]


SOUND = [
    "Schöne Grüße aus Köln – „ja“, ‚nein‘, »so« und «so» … 100 €",
    "Straße “ß” Maß“, Ärger“, groß…",
    "Curly ‘quotes’ and “double” ones — naïve café, Señor, façade, Dvořák",
    "À la carte, ça va? L’été. «\u00a0Oui\u00a0», dit-il\u202f!",
    "10\u00a0000\u00a0€, 5\u202fkg, z.\u00a0B. §\u00a05, S.\u00a012",
    "👩\u200d💻 👨\u200d👩\u200d👧 ❤\ufe0f\u200d🔥 🏳\ufe0f\u200d🌈 1\ufe0f\u20e3 👍🏽",
    "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "می\u200cخواهم API\u200cها",
    "नमस्\u200dते क्\u200cष",
    "שלום\u200f! \u2066abc\u2069",
    "ภาษา\u200bไทย",
    "日本語の文章です。\u3000カタカナ ｶﾅ",
    "神\ufa19 and 﨑",
    "Привет, как дела?",
    "Ελληνικά: «Γειά σου»",
    "µm and Ω are units",
    "a\tb\n\n\n\nc",
    "first line  \nsecond line",
    "all\r\nof\r\nWindows",
    "`x\u200b` and\n```\ne\u0301\u0000\u202e \n\n\n\n\n\n\x1b[0m\n```",
    "Why does my page show GrÃ¼ÃŸe? The encoding is wrong: UTF-8 was read as Latin-1.",
    "Das Zeichen \ufffd ist das Ersatzzeichen von Unicode.",
    "U+FFFD (\ufffd) is the replacement character.",
    "",
]


@pytest.mark.parametrize("text", SOUND)
def test_sound_text_is_let_be(text: str) -> None:
    assert found(chat(text, user=text)) == []


def test_prompts_may_end_in_a_line_feed_and_hold_line_ends_of_windows() -> None:
    assert found(chat("Kim is late.", user="Summarize:\nKim: late\r\nAnn: ok\r\n---\nSummary:\n")) == []
    assert found(chat("Kim is late.\n", user="Summarize:")) == ["TXT007"]
    assert found(chat("Kim is late.", user="Summarize: ")) == ["TXT007"]


def test_what_tools_said_and_their_arguments_are_data() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": " x\u200b\\u0000"}'}}
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": " GrÃ¼ÃŸe\u0000\u200b "},
        {"role": "assistant", "content": "Done."},
    ]
    assert found({"messages": messages}) == []


def test_text_parts_and_preference_pairs_are_looked_at() -> None:
    parts = [
        {"type": "text", "text": "a\u0000b"},
        {"type": "image_url", "image_url": {"url": "https://a.example/ b"}},
    ]
    assert found({"messages": [{"role": "user", "content": parts}]}) == ["TXT002"]
    pair = {
        "input": {"messages": [{"role": "user", "content": "a\u200bb"}]},
        "preferred_output": [{"role": "assistant", "content": "c "}],
        "non_preferred_output": [{"role": "assistant", "content": "d\u0000"}],
    }
    assert sorted(found(pair)) == ["TXT003", "TXT007"]


def test_a_blank_text_is_left_to_the_rule_about_empty_content() -> None:
    assert found(chat(" \n\u200b")) == []


def test_severities_and_fixes() -> None:
    assert {rule.id: (rule.severity, rule.fix) for rule in RULES} == {
        "TXT001": (Severity.WARNING, "safe"),
        "TXT002": (Severity.ERROR, "safe"),
        "TXT003": (Severity.ERROR, "unsafe"),
        "TXT004": (Severity.INFO, "safe"),
        "TXT005": (Severity.WARNING, None),
        "TXT007": (Severity.INFO, "safe"),
    }


def test_messages_name_the_character_and_count_the_others() -> None:
    raw = json.dumps(chat("a\u202eb\u200bc\u200bd")).encode()
    (hit,) = next(rule for rule in RULES if rule.id == "TXT003").check(Row(raw))
    assert hit.message == (
        "messages[1].content holds U+202E RIGHT-TO-LEFT OVERRIDE (and 2 more), which cannot be seen: take it out"
    )


def test_fix_leaves_code_tools_and_the_rest_of_the_line_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    call = '{"id":"c1","type":"function","function":{"name":"f","arguments":"{\\"a\\": \\"x\\u200b \\"}"}}'
    line = (
        '{ "messages":[{"content" : "GrÃ¼ÃŸe `Ã¼ ` \\u0007","role":"user"},'
        '{"role":"assistant","content":null,"tool_calls":[' + call + "]},"
        '{"role":"tool","tool_call_id":"c1","content":" x "},'
        '{"role":"assistant","content":"e\\u0301 \\n```\\nx \\u0007\\n```\\nok\\u200b"}] , "extra": 1.50}\n'
    )
    path.write_text(line, encoding="utf-8")
    settings_ = CheckSettings("openai", select=("TXT",))
    assert fix(DataFile(path), settings_).applied == {"TXT001": 1, "TXT002": 1, "TXT004": 1, "TXT007": 2}
    expected = line.replace("GrÃ¼ÃŸe", "Grüße").replace(' \\u0007",', '",').replace("e\\u0301 \\n", "é\\n")
    assert path.read_text(encoding="utf-8").replace("\u200b", "\\u200b") == expected
    assert [each.rule for each in check([DataFile(path)], settings_).findings] == ["TXT003"]
    assert fix(DataFile(path), settings_).applied == {}
    assert fix(DataFile(path), settings_, unsafe=True).applied == {"TXT003": 1}
    assert check([DataFile(path)], settings_).findings == ()


ANYTHING = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from(
            [
                *" \n\t\r`~abÃ¼â€™\x80\x99\x00\x1b[",
                *"\u00a0\u200b\u200c\u200d\u202e\u0301\ufe0f\u200f\u00ad👩💻🏴ש",
            ]
        ),
    ),
    max_size=40,
)
REPAIRS = pytest.mark.parametrize("rule", sorted(STEPS))


@REPAIRS
@settings(max_examples=200, deadline=None)
@given(text=ANYTHING)
def test_repairing_twice_is_repairing_once_and_leaves_no_hit(rule: str, text: str) -> None:
    once = mended(text, rule)
    assert mended(once, rule) == once
    assert rule not in found(chat(once, user=once))


@settings(max_examples=200, deadline=None)
@given(
    st.text(st.characters(codec="latin-1", categories=["L", "Nd", "P"], exclude_characters="`~\xad"), max_size=60)
)
def test_composed_text_without_faults_stays(text: str) -> None:
    for rule in ("TXT002", "TXT003", "TXT004", "TXT007"):
        assert mended(text, rule) == text


TAKEN_OUT: dict[str, Callable[[str], bool]] = {
    "TXT002": lambda sign: unicodedata.category(sign) == "Cc",
    "TXT003": lambda sign: unicodedata.category(sign) in ("Cf", "Mn", "Cn"),
    "TXT007": lambda sign: sign.isspace() or sign == "\u00ad",
}


@pytest.mark.parametrize("rule", sorted(TAKEN_OUT))
@settings(max_examples=200, deadline=None)
@given(text=ANYTHING.filter(lambda text: "\x1b" not in text))
def test_nothing_but_the_faulty_characters_changes(rule: str, text: str) -> None:
    def kept(text: str) -> str:
        return "".join(sign for sign in text if not TAKEN_OUT[rule](sign))

    assert kept(mended(text, rule)) == kept(text)


@settings(max_examples=200, deadline=None)
@given(ANYTHING)
def test_nfc_means_the_same(text: str) -> None:
    assert unicodedata.normalize("NFC", mended(text, "TXT004")) == unicodedata.normalize("NFC", text)


@settings(max_examples=200, deadline=None)
@given(ANYTHING)
def test_what_was_cleaned_checks_clean(text: str) -> None:
    cleaned = clean(text).text
    assert set(found(chat(cleaned, user=cleaned))) <= {"TXT005"}


@pytest.mark.parametrize(
    "text",
    [
        "Ã¼" * 20_000,
        "\u202e" * 50_000,
        "e\u0301" * 30_000,
        " \n" * 50_000,
        "\x1b[" * 30_000,
        "a" + " " * 100_000 + "b",
    ],
)
def test_long_texts_take_no_time(text: str) -> None:
    import time

    started = time.process_time()
    found(chat(text))
    assert time.process_time() - started < 3


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("chat/azureml_conversation", set()),
        ("chat/azureml_dialog.train", {"TXT007"}),
        ("chat/azureml_dialog.validation", {"TXT007"}),
        ("chat/covid_faq_de", {"TXT007"}),
        ("chat/fastchat_dummy", set()),
        ("chat/toy_chat_fine_tuning", set()),
        ("intent/banking77.train", {"TXT007"}),
        ("intent/snips.train", set()),
        ("intent/sms_spam", {"TXT001", "TXT006", "TXT007"}),  # it holds "that\x92s" and "&lt;#&gt;"
        ("toolcall/glaive_en", {"TXT007", "TXT011"}),  # one answer never closes its fence
    ],
)
def test_real_chats_have_the_faults_that_a_person_would_name(shared: Path, name: str, allowed: set[str]) -> None:
    result = check([DataFile(shared / "data" / f"{name}.jsonl")], CheckSettings(select=("TXT",)))
    assert {finding.rule for finding in result.findings} == allowed
    assert not any(finding.severity is Severity.ERROR for finding in result.findings)


@pytest.mark.shared
def test_naughty_strings_crash_nothing_and_the_hidden_ones_are_found(shared: Path, tmp_path: Path) -> None:
    path = tmp_path / "blns.jsonl"
    path.write_bytes((shared / "data" / "robust" / "blns.jsonl").read_bytes())
    settings_ = CheckSettings(select=("TXT",))
    rules = {finding.rule for finding in check([DataFile(path)], settings_).findings}
    assert rules == {"TXT001", "TXT002", "TXT003", "TXT006", "TXT007"}
    fix(DataFile(path), settings_, unsafe=True)
    left = [finding for finding in check([DataFile(path)], settings_).findings if finding.fix]
    assert left == []


def test_the_first_character_that_goes_is_named() -> None:
    (hit,) = RULES[1].check(Row(json.dumps(chat("moving \x1b[31mred\x07")).encode()))
    assert "holds the control character U+001B" in hit.message
