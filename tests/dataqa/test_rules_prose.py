"""The rules about what does not belong in prose: each fault in English and German, and what comes near it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.core.jsonl import decode
from tunegate.dataqa.check import CheckSettings, DataFile, check
from tunegate.dataqa.code_spans import fences
from tunegate.dataqa.escaped import escapes, unescaped
from tunegate.dataqa.fix import fix
from tunegate.dataqa.markup import plain, remains
from tunegate.dataqa.row import Row
from tunegate.dataqa.rules_prose import RULES


def row(answer: str, user: str = "Where is it?", system: str | None = None) -> dict[str, Any]:
    messages = [{"role": "user", "content": user}, {"role": "assistant", "content": answer}]
    return {"messages": [{"role": "system", "content": system}, *messages] if system else messages}


def hits(value: dict[str, Any]) -> list[tuple[str, str]]:
    raw = json.dumps(value).encode()
    found = []
    for rule in RULES:
        look = rule.look
        if look is None or look(raw):
            found += [(rule.id, hit.message) for hit in rule.check(Row(raw))]
    return found


def ids(value: dict[str, Any]) -> list[str]:
    return [rule for rule, _ in hits(value)]


@pytest.mark.parametrize(
    "text",
    [
        "Salt&nbsp;and pepper",
        "Tom &amp; Jerry",
        "It&#39;s here",
        "It&#x27;s here",
        "Grüße aus K&ouml;ln",
        "One.<br>Two.",
        "One.<br/>Two.<BR />Three.",
        "<p>That is all.</p> Thanks.".replace("<p>", "So: <p>"),
        "See <b>this</b> now",
        'It is <span class="x">red</span>',
        'Go <a href="https://a.example">there</a>',
        "Bitte <strong>nicht</strong> öffnen",
        "Erstens<ul><li>Brot</li></ul>",
    ],
)
def test_html_in_prose(text: str) -> None:
    assert ids(row(text)) == ["TXT006"]
    assert ids(row("It is there.", user=text)) == ["TXT006"]


@pytest.mark.parametrize(
    ("user", "answer"),
    [
        ("How do I write a line break in HTML?", "Write <br> between the lines."),
        ("What does <br> do?", "<br> breaks the line, and &nbsp; does not."),
        ("What is the difference between <b> and <strong>?", "With <strong>text</strong> it means something."),
        ("Wann nehme ich <em>?", "Mit <em>Text</em> betonst du etwas."),
        ("Wie maskiere ich Zeichen für eine Webseite?", "Schreibe &lt; und &amp;."),
        ("Translate this XML", "So: <p>Hallo</p> &amp; mehr"),
        ("Where?", "Write `<br>` or `&nbsp;`."),
        ("Where?", "So:\n```\n<p>Hi&nbsp;you</p>\n```"),
        ("Where?", "<div><p>A whole document &amp; more</p></div>"),
        ("Where?", '{"note": "Tom &amp; Jerry<br>"}'),
        ("Where?", "| a | b |\n|---|---|\n| one<br>two | three |"),
        ("Where?", "H<sub>2</sub>O and x<sup>2</sup>, press <kbd>Q</kbd>"),
        ("Where?", "<think>So.</think> Here."),
        ("<document>One.</document> <question>Why?</question>", "<answer>Two.</answer>"),
        ("<file_photo> Look!", "Nice."),
        ("Where?", "x < y && y > z, a <b and c> d, i<p, AT&T; R&D; see a.example/?a=1&copy=2"),
        ("Where?", "if (a<b) then <b> is a letter"),
        ("Warum ist 3<a und a>b;?", "Weil a&b; so ist."),
    ],
)
def test_chats_about_markup_and_other_signs_are_let_be(user: str, answer: str) -> None:
    assert ids(row(answer, user=user)) == []


def test_instructions_with_tags_ask_for_them() -> None:
    assert ids(row("See <b>this</b>.", system="Use <b>bold</b> for names.")) == []
    assert ids(row("See <b>this</b>.", system="Be brief.")) == ["TXT006"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Salt&nbsp;and pepper &amp; more", "Salt and pepper & more"),
        ("One.<br>Two.<br/>\nThree.", "One.\nTwo.\nThree."),
        ("So: <p>A</p><p>B</p>", "So: \nA\nB"),
        ("Buy:<ul><li>bread</li><li>milk</li></ul>", "Buy:\n- bread\n- milk"),
        ("See <b>this</b> and `<b>that</b>`", "See this and `<b>that</b>`"),
        ('Go <a href="https://a.example">there</a>', None),
        ("Look <img src=x> here", None),
        ("Tags: &lt;br&gt; breaks", None),  # what it means is a tag
        ("k<b></b>", "k"),
    ],
)
def test_taking_html_off(text: str, expected: str | None) -> None:
    assert plain(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "p\u0430ypal",
        "\u0430pple pie",
        "Lоgin jetzt",
        "mircоsoft.example",
        "\u0391\u0392C-Konto ABΕL",
        "Привeт",
        "Мoскве",
        "СОVID",
    ],
)
def test_homoglyphs(text: str) -> None:
    assert ids(row(f"Siehe {text} dort")) == ["TXT009"]


@pytest.mark.parametrize(
    "text",
    [
        "5 µm, 5 μm, 10 kΩ, ΔT, λx, π-meson, β-Blocker, αβ-T-Zellen, TNFα, IFNγ, NFκB, αvβ3",
        "x∈ℝ, μs und Ωm, σ²",
        "Привет, iPhone и IT-компания, PDFа, SMSка, VIPы",
        "Ελληνικά words, ok",
        "日本語とEnglishの混在、Tシャツ、ＡＢＣ",
        "中文ABC混合",
        "Straße, naïve, Dvořák, Łódź, İstanbul",
        "`p\u0430ypal`",
        "The Cyrillic letter in p\u0430ypal looks the same.",
        "Das kyrillische Zeichen in p\u0430ypal sieht gleich aus.",
        "СО2 ok",
    ],
)
def test_signs_and_scripts_side_by_side_are_no_homoglyphs(text: str) -> None:
    assert ids(row(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "line1\\nline2",
        "First do this.\\nThen that.\\n\\nDone.",
        "Guten Tag,\\nich komme morgen.\\r\\nGruß",
        "Sch\\u00f6ne Gr\\u00fc\\u00dfe",
        "don\\u0027t do it",
        "Einkauf:\\n- Brot\\n- Milch",
    ],
)
def test_text_that_was_escaped_twice(text: str) -> None:
    assert ids(row(text)) == ["TXT010"]


@pytest.mark.parametrize(
    ("user", "answer"),
    [
        ("Where?", "Use `\\n` here, or\n```\nprint('a\\nb')\n```"),
        ("Where?", 'The sign "\\n" ends it.'),
        ("Where?", "Write \\n there."),
        ("What ends a line?", "In C a newline is a\\nb."),
        ("Where is it?", "C:\\new\\notes, D:\\nina"),
        ("Where?", "Open \\\\server\\nas\\files or data\\names.txt"),
        ("Wo ist der Ordner?", "Unter daten\\neu."),
        ("Solve it", "x\\neq y and a\\nabla f, $\\nu$ and \\frac{a}{b}, b\\not c"),
        ("Where?", "Match a\\n\\d+\\w* then"),
        ("Write a regex", "a\\nb"),
        ("Where?", '{"text": "a\\nb"}'),
        ("Where?", "x = 'a\\nb'"),
        ("Where?", "printf(a\\nb)"),
        ("Where?", "one\\ntwo\nis a real line"),
        ("Was heißt Zeilenumbruch?", "Der Zeilenumbruch steht als a\\nb da."),
        ("Which sign?", "The code point \\u00fc of Unicode."),
    ],
)
def test_backslashes_by_right(user: str, answer: str) -> None:
    assert ids(row(answer, user=user)) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.\\r\\nB\\n\\nC", "a.\nB\n\nC"),
        ("Gr\\u00fc\\u00dfe \\ud83d\\ude00x", "Grüße 😀x"),
        ("half\\ud83dx", None),
        ("keep `a\\nb` but.\\nNot", "keep `a\\nb` but.\nNot"),
        ("a\\u005cnb", "a\\u005cnb"),
    ],
)
def test_resolving_escapes(text: str, expected: str | None) -> None:
    assert unescaped(text) == expected


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("So:\n```python\nx = 1", "opens a code fence in line 2 and never closes it"),
        ("```\na\n```\ntext\n```\nb", "opens a code fence in line 5"),
        ("```\ncode```", "opens a code fence in line 1"),
        ("~~~\na\n```", "opens a code fence in line 1"),
        ('```json\n{"a": 1,}\n```', "holds broken JSON in the code fence of line 1: "),
        ("Also:\n```json\n{'a': 1}\n```", "holds broken JSON in the code fence of line 2: "),
        ('```json\n{"a": [1, 2}\n```\n```json\n[1\n```', "(and 1 more)"),
    ],
)
def test_broken_fences(answer: str, why: str) -> None:
    ((rule, message),) = hits(row(answer))
    assert rule == "TXT011"
    assert why in message


@pytest.mark.parametrize(
    ("user", "answer"),
    [
        ("Show it", "```\na\n```"),
        ("Show it", "````md\n```\na\n```\n````"),
        ("Show it", "1. Do:\n    ```sh\n    ls\n    ```\n2. Done"),
        ("What does it mean?", "Three ``` begin a fence, and ```x``` is a span."),
        ("Show it", '```json\n{"a": 1}\n{"a": 2}\n```'),
        ("Show it", '```json\n{"a": 1, ...}\n```'),
        ("Show it", '```json\n{"a": 1} // note\n```'),
        ("Show it", '```json\n{"a": <number>}\n```'),
        ("Show it", '```json\n"a": 1\n```'),
        ("Show it", "```json5\n{a: 1}\n```"),
        ("Show it", "```\n{'a': 1}\n```"),
        ("Fix this JSON", '```json\n{"a": 1,}\n```'),
        ("Was ist daran falsch?", 'Das Komma:\n```json\n{"a": 1,}\n```'),
        ("Look:\n```\nmy code", "It is fine."),
        ("Show it", '```json\n{"url": "https://a.example/b"}\n```'),
    ],
)
def test_sound_fences(user: str, answer: str) -> None:
    assert ids(row(answer, user=user)) == []


def test_fixes_are_unsafe_and_leave_the_rest_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    before = [row("Tom &amp; `&amp;` Jerry"), row("line1\\nline2"), row('a <a href="x">b</a> c')]
    path.write_text("".join(json.dumps(each) + "\n" for each in before))
    chosen = CheckSettings(select=("TXT",))
    assert [finding.fix for finding in check([DataFile(path)], chosen).findings] == ["unsafe", "unsafe", None]
    assert fix(DataFile(path), chosen).applied == {}
    assert fix(DataFile(path), chosen, unsafe=True).applied == {"TXT006": 1, "TXT010": 1}
    after = [decode(line).value for line in path.read_bytes().splitlines()]
    assert after == [row("Tom & `&amp;` Jerry"), row("line1\nline2"), before[2]]
    assert fix(DataFile(path), chosen, unsafe=True).applied == {}


PIECES = st.lists(
    st.sampled_from(
        [
            *"ab \n`<>&;",
            "<br>",
            "</p>",
            "<p>",
            "<b>",
            "</b>",
            "&amp;",
            "&lt;",
            "br&gt;",
            "&nbsp;",
            "```",
            "\\n",
            "\\u00fc",
            "\\ud83d",
            "\\",
        ]
    ),
    max_size=12,
).map("".join)


@settings(max_examples=400, deadline=None)
@given(PIECES)
def test_repairs_leave_nothing_to_repair(text: str) -> None:
    made = plain(text)
    assert made is None or remains(made) == []
    if escapes(text) and (made := unescaped(text)) is not None:
        assert escapes(made) == []


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_characters="<&\\"), max_size=60))
def test_text_without_them_stays(text: str) -> None:
    assert plain(text) in (text, None)
    assert unescaped(text) in (text, None)


@pytest.mark.parametrize(
    "text",
    [
        "<p " * 20_000,
        "<p" + " " * 50_000,
        "&a" * 30_000,
        "|" * 50_000 + "<",
        "a\u0430" * 30_000,
        "\\n" * 30_000,
        "```json\n[" + "[" * 30_000,
    ],
)
def test_hostile_texts_take_no_time(text: str) -> None:
    import time

    started = time.process_time()
    hits(row(text, user=text))
    fences(text)
    assert time.process_time() - started < 3
