"""Answers in another language than the question."""

from __future__ import annotations

import json

import pytest

from tunegate.dataqa.languages import answered_otherwise, are_close, name_of
from tunegate.dataqa.row import Row

DE_Q = "Wie kann ich meine Bestellung ändern, wenn sie noch nicht verschickt ist?"
DE_A = "Sie können die Bestellung auf ihrer Seite ändern, solange sie noch nicht verschickt ist."
EN_Q = "How can I change my order when it has not been sent yet, and what does that cost?"
EN_A = "You can change your order on the page of the order, as long as it has not been sent."
RU_A = "Вы можете изменить заказ на его странице. Если это уже произошло, напишите нам, и мы вернём деньги."
JA_A = "注文はまだ発送されていない限り、注文ページで変更することができます。ご確認ください。"
FI_A = "Voitte muuttaa tilausta niin kauan kuin sitä ei ole vielä lähetetty asiakkaalle tai toimitettu perille."


def found(user: str, assistant: str, system: str = "", before: str = "") -> list[tuple[str, str]]:
    messages = [{"role": "system", "content": system}] if system else []
    if before:
        messages += [{"role": "user", "content": before}, {"role": "assistant", "content": "OK."}]
    messages += [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]
    row = Row(json.dumps({"messages": messages}, ensure_ascii=False).encode())
    return [(asked, answered) for _, asked, answered in answered_otherwise(row)]


@pytest.mark.parametrize(
    ("user", "assistant", "languages"),
    [
        (DE_Q, EN_A, ("de", "en")),
        (EN_Q, DE_A, ("en", "de")),
        (EN_Q, RU_A, ("en", "ru")),
        (DE_Q, JA_A, ("de", "ja")),
        (RU_A, EN_A, ("ru", "en")),
        (EN_Q, FI_A, ("en", "fi")),
    ],
)
def test_another_language_is_found(user: str, assistant: str, languages: tuple[str, str]) -> None:
    assert found(user, assistant) == [languages]


def test_only_the_turn_that_differs_is_found() -> None:
    messages = [
        {"role": role, "content": text}
        for question, answer in ((DE_Q, DE_A), (DE_Q, EN_A), (DE_Q, DE_A))
        for role, text in (("user", question), ("assistant", answer))
    ]
    row = Row(json.dumps({"messages": messages}).encode())
    assert [reply.message for reply, _, _ in answered_otherwise(row)] == [3]


@pytest.mark.parametrize(
    ("user", "assistant", "system", "before"),
    [
        (DE_Q, DE_A, "", ""),
        (EN_Q, EN_A, "", ""),
        (RU_A, RU_A, "", ""),
        (f"Übersetze: {DE_Q}", EN_A, "", ""),
        (f"Translate this: {EN_Q}", DE_A, "", ""),
        (f"Antworte auf Englisch: {DE_Q}", EN_A, "", ""),
        (
            f"{EN_Q} Please answer in French.",
            "Vous pouvez modifier votre commande, elle est dans votre compte.",
            "",
            "",
        ),
        (EN_Q, RU_A, "", "Speak Russian from now on."),
        (DE_Q, EN_A, "Answer in English, whatever the user writes.", ""),
        (DE_Q, EN_A, "Antworte immer in englischer Sprache.", ""),
        (DE_Q, "order_status", "", ""),
        (DE_Q, "OK, thank you!", "", ""),
        (
            DE_Q,
            "```python\nfor order in orders:\n    print(order)  # the order that was sent with the mail\n```",
            "",
            "",
        ),
        (DE_Q, "https://example.com/how/to/change/your/order/when/it/was/not/sent", "", ""),
        (DE_Q, "The Lord of the Rings", "", ""),
        (EN_Q, "Anna Meier, Bernd Schulze, Claudia Vogt, Detlef Krüger", "", ""),
        ("Fasse zusammen: " + EN_Q + " " + EN_A, DE_A, "", ""),
        ("Was steht hier?\n\n" + EN_Q + " " + EN_A, DE_A, "", ""),
        ("Summarize:\n" + DE_Q + " " + DE_A, EN_A, "", ""),
    ],
)
def test_what_is_alike_or_asked_for_or_unsure_is_not(user: str, assistant: str, system: str, before: str) -> None:
    assert found(user, assistant, system, before) == []


def test_close_languages_and_names() -> None:
    assert are_close("de", "de")
    assert are_close("no", "da")
    assert not are_close("de", "en")
    assert (name_of("de"), name_of("xx")) == ("German", "xx")
