"""What cannot be read, and what only looks so."""

from __future__ import annotations

import pytest

from tunegate.dataqa.gibberish import is_gibberish


@pytest.mark.parametrize(
    "text",
    [
        "asdkj qwrtz 8!!kk sdfgh jklsd",
        "sdfkjh wqrtpl xcvbnm jkdfgh, qwrtzp!",
        "Fghjkl dfgrtz wrtzpl kjhgfd mnbvcx",
        "!!?#$%&/()=?*+#-_.:,;<>|@~{}[]",
    ],
)
def test_struck_keys_and_heaps_of_signs_are_gibberish(text: str) -> None:
    assert is_gibberish(text)


@pytest.mark.parametrize(
    "text",
    [
        "On the start page, at the top.",
        "Angstschweiß, Rechtschreibung, Borschtsch und Schlittschuhe.",
        "Durchschnittlich schrumpft Schmutzwäsche.",
        "Strengths, rhythms, twelfths, hymns, myths, glyphs.",
        "Chrząszcz brzmi w trzcinie w Szczebrzeszynie.",
        "Ve čtvrtek jsem si na náměstí koupil zmrzlinu.",
        "HTTP, TCP, SQL, CSS, HTML, XML, DNS",
        "html css php sql kbps xlsx pptx",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "order_status",
        "NaCl + AgNO3 -> AgCl + NaNO3",
        "x^2 + y^2 = z^2, sqrt(x) >= 0",
        "```\nstrncpy(dst, src, n);\n```",
        "^(?=.*[A-Z])(?=.*[0-9]).{8,}$",
        "| # | % |\n|---|---|",
        "-----------------------------",
        "++++++[>++++++++<-]>.[-],",
        ":-) ;-) :-D",
        "\U0001f600\U0001f601\U0001f602\U0001f603\U0001f604\U0001f605\U0001f606\U0001f607\U0001f608\U0001f609\U0001f60a",
        "Привет, как дела? Всё хорошо.",
        "日本語の文章を作るためにこれは例です。",
        "سلام، حال شما چطور است؟",
        "https://example.com/xkcd/wrtzp/qwrtz",
        "Tsk tsk, brrr, hmm, pst!",
        "",
    ],
)
def test_languages_code_formulas_and_names_are_not(text: str) -> None:
    assert not is_gibberish(text)


def test_what_was_asked_for_is_left_alone() -> None:
    cipher = "Grfkw qwrtz sdfgh jklsd"
    assert is_gibberish(cipher, "How are you?")
    assert not is_gibberish(cipher, "Encrypt it with a Caesar cipher.")
    assert not is_gibberish(cipher, "Gib mir ein zufälliges Passwort.")
