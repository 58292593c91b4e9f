"""Refusals, and what only sounds like one."""

from __future__ import annotations

import pytest

from tunegate.dataqa.refusals import may_decline, refusal_in

REFUSALS = [
    "I'm sorry, but I can't help with that.",
    "I\u2019m sorry, but I can\u2019t assist with that request.",
    "As an AI language model, I don't have personal opinions.",
    "As an AI assistant, I cannot predict the future.",
    "Sorry, as an artificial intelligence, I am unable to feel pain.",
    "I cannot provide instructions for making that.",
    "I'm unable to assist with that, as it is outside of what I can do.",
    "I'm not able to fulfill this request.",
    "Es tut mir leid, aber dabei kann ich nicht helfen.",
    "Es tut mir leid, aber ich kann Ihnen bei dieser Anfrage leider nicht weiterhelfen.",
    "Als KI-Sprachmodell kann ich keine Meinung haben.",
    "Als KI habe ich keine Gefühle.",
    "Als künstliche Intelligenz darf ich das nicht beurteilen.",
    "Diese Frage ist heikel. Ich kann diese Anfrage nicht beantworten.",
    "Je suis désolé, mais je ne peux pas vous aider avec cela.",
    "En tant qu'intelligence artificielle, je ne peux pas donner d'avis.",
    "Lo siento, pero no puedo ayudar con eso.",
    "Como modelo de lenguaje, no tengo opiniones.",
]
NO_REFUSALS = [
    "I'm sorry, but your parcel was lost.",
    "I'm sorry, but I can't find your order: please send me its number.",
    "Sorry, we cannot refund orders that are older than 30 days.",
    "As a language model, I go by the name Vicuna and was trained by researchers.",
    "I am a language model developed by a university.",
    "An AI language model is a program that predicts text.",
    "You can help with that by sending the receipt.",
    "Unfortunately, the shop is closed on Sundays.",
    "Es tut mir leid, aber Ihr Paket ist verloren gegangen.",
    "Leider kann ich Ihre Bestellung nicht finden: Wie lautet die Nummer?",
    "Als Kind war ich oft hier.",
    "Als KI wird ein Programm bezeichnet, das lernt.",
    "Als KI-System kann ein solches Programm nicht fühlen.",
    "As an AI company, we do not share your data.",
    "Das kann ich gerne für Sie erledigen.",
    "Je suis désolé, mais votre colis est perdu.",
    "Lo siento, su paquete se ha perdido.",
]


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_is_found_by_a_whole_clause(text: str) -> None:
    assert refusal_in(text)
    assert may_decline(text[:64].lower().split())


@pytest.mark.parametrize("text", NO_REFUSALS)
def test_bad_news_and_descriptions_are_no_refusal(text: str) -> None:
    assert refusal_in(text) is None


def test_what_a_machine_says_of_itself_is_found_anywhere() -> None:
    text = "The film is well liked. " * 30 + "However, as an AI, I don't watch films."
    assert refusal_in(text) == "as an AI, I don't"
