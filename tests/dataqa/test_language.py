"""Which language a text is in, by a quick look and by the model; and what is no language at all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunegate.dataqa.language import (
    LANGUAGE_OF,
    SMALL_WORDS,
    by_small_words,
    language_of,
    prose_of,
    script_of,
    small_words,
)

TEXTS = {
    "en": "You can change your order on the page of the order, as long as it has not been sent.",
    "de": "Sie können die Bestellung ändern, solange sie noch nicht verschickt ist.",
    "fr": "Vous pouvez modifier votre commande sur cette page, elle est dans votre compte.",
    "es": "Usted puede cambiar el pedido con su cuenta, pero los envíos son muy rápidos.",
    "it": "Può cambiare l'ordine nella pagina del conto, anche se gli articoli sono in viaggio.",
    "nl": "U kunt het aanpassen zolang de bestelling niet is verzonden, dat wordt ook vermeld.",
    "pl": "Zamówienie może być zmienione, jak długo nie jest wysłane, oraz czy się zgadza.",
    "fi": "Voitte muuttaa tilausta niin kauan kuin sitä ei ole vielä lähetetty asiakkaalle.",
    "ru": "Вы можете изменить заказ на его странице. Если это уже произошло, напишите нам, и мы вернём деньги.",
    "ja": "注文はまだ発送されていない限り、注文ページで変更することができます。ご確認ください。",
    "el": "Μπορείτε να αλλάξετε την παραγγελία στη σελίδα της, εφόσον δεν έχει σταλεί.",
    "ko": "주문이 아직 발송되지 않은 경우 주문 페이지에서 변경할 수 있습니다.",
}


@pytest.mark.parametrize(("code", "text"), TEXTS.items())
def test_sentences_are_told_apart(code: str, text: str) -> None:
    assert language_of(text) == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ok",
        "order_status",
        "Anna Meier, Berlin",
        "1234567890 " * 20,
        "def f(x): return x",
        "```python\nfor number in range(10):\n    print(number, 'and', 'the', 'that')\n```",
        "https://example.com/this/is/the/page/that/you/have/to/read",
        "\U0001f600" * 50,
    ],
)
def test_what_is_too_short_or_no_prose_has_none(text: str) -> None:
    assert language_of(text) is None


def test_a_mixed_text_has_none() -> None:
    assert language_of(f"{TEXTS['en']} {TEXTS['de']}") is None


def test_scripts_are_told_by_most_letters() -> None:
    assert script_of("Größe über alles") == script_of("plain") == script_of("") == "la"
    assert script_of("Привет, Anna, как дела?") == "ru"
    assert script_of("The word привет means hello in another language") == "la"
    assert script_of("これはJSONです") == "zh"


def test_code_and_addresses_are_no_prose() -> None:
    assert prose_of("a `b` <c> {d} e@f.de http://g.de h").split() == ["a", "h"]


def test_a_small_word_belongs_to_one_language() -> None:
    listed = [word for words in SMALL_WORDS.values() for word in words.split()]
    assert {word for word in listed if listed.count(word) == 1} == set(LANGUAGE_OF)
    assert {LANGUAGE_OF[word] for word in small_words("der und the")} == {"de", "en"}
    assert by_small_words(small_words("wo ist der Hund und die Katze")) == "de"
    assert by_small_words(small_words("der the und and")) is None
    assert by_small_words(frozenset()) is None


@given(st.text(max_size=300))
def test_any_text_is_judged_the_same_each_time(text: str) -> None:
    assert language_of(text) == language_of(text)
    assert script_of(text) == script_of(text)


def test_the_model_is_loaded_only_in_doubt() -> None:
    code = (
        "import sys\nfrom tunegate.dataqa.language import language_of\n"
        f"assert language_of({TEXTS['de']!r}) == 'de'\nassert language_of({TEXTS['en']!r}) == 'en'\n"
        "assert not {'py3langid', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.shared
def test_real_short_texts_are_told_or_left_alone_but_never_mistaken(shared: Path) -> None:
    data = shared / "data"
    tweets = (data / "safety" / "germeval2018_de.jsonl").read_text(encoding="utf-8").splitlines()
    chats = (data / "intent" / "banking77.validation.jsonl").read_text(encoding="utf-8").splitlines()
    german = [json.loads(line)["text"] for line in tweets]
    english = [json.loads(line)["messages"][1]["content"] for line in chats]
    for texts, code, least in ((german[:1000], "de", 0.8), (english[:1000], "en", 0.4)):
        found = [language for language in map(language_of, texts) if language is not None]
        assert set(found) == {code}
        assert len(found) >= least * len(texts)
