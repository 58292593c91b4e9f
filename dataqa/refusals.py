"""Refusals: answers in which an assistant says that it is a machine and may not, or will not help.

Patterns of whole clauses in English, German, French and Spanish: "I'm sorry, but your parcel was lost" is no
refusal, "I'm sorry, but I can't help with that" is one. What an assistant is ("as a language model, I was trained
by ...") is no refusal, as long as nothing is declined with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tunegate.dataqa.needs import finder

# A refusal stands at the head of an answer; what a machine says of itself may stand anywhere.
HEAD = 300

# A head that begins with none of these words does not decline.
_CUE_WORDS = """
    sorry sorry, sorry. can't cannot unable able won't decline comfortable can\u2019t won\u2019t
    ai ai, ai-powered model model, language intelligence intelligence,
    nicht leid leid, ki ki, ki-modell ki-sprachmodell sprachmodell sprachmodell, intelligenz intelligenz,
    ia ia, peux puis artificielle artificielle, modèle puedo siento siento, inteligencia modelo
"""
_CUES = frozenset(_CUE_WORDS.split())

_MACHINES = (" AI", "KI", " IA")
names_machine = finder(tuple(name.encode() for name in _MACHINES))
"""Whether a line names a machine anywhere."""

# Patterns that few lines ask for are compiled when the first one does.
_SELF = r"""(?ix)
    \bas\ an?\ (?:ai|artificial\ intelligence|(?:large\ )?language\ model)
      (?:\ (?:language\ model|model|assistant|chat\ ?bot|system|program|entity|(?:developed|trained)\ by\ \w+))?,?
      \ (?:\w+,?\ ){0,2}?(?:i|my)\b
      [^.!?\n]{0,40}?(?:\bnot\b|n't\b|cannot|unable|\bno\b|never|\black\b|can\ only)
    | \bals\ (?:eine?\ )?(?:reine\ )?(?:ki|künstliche\ intelligenz|(?:ki-|großes\ |ki-basiertes\ )?sprachmodell)
      (?:[-\ ](?:sprachmodell|modell|assistent|assistentin|system|chatbot|basierte[rs]?\ \w+))?,?
      \ (?:(?:kann|darf|habe|bin|besitze|verfüge|möchte|werde)\ ich|ist\ es\ mir)\b
      [^.!?\n]{0,60}?\b(?:nicht|kein\w*|nie|weder|nur)\b
    | \ben\ tant\ (?:qu'|que\ )(?:une?\ )?
      (?:ia|intelligence\ artificielle|assistant\ (?:ia|virtuel)|modèle\ (?:de\ langage|linguistique))
      (?:\ (?:ia|artificielle?))?,?\ (?:je|il\ m)\b[^.!?\n]{0,30}?\b(?:ne|n'|pas)
    | \bcomo\ (?:una?\ )?(?:ia|inteligencia\ artificial|asistente\ de\ ia|modelo\ de\ (?:lenguaje|ia))
      (?:\ de\ (?:ia|inteligencia\ artificial))?,?\ (?:\w+\ ){0,2}?no\b
    """

_DECLINED = r"""(?ix)
    \bi(?:\ can't|\ cannot|\ can\ not|\ won't|\ will\ not|\ must\ decline\ to
        |(?:\ am|'m)\ (?:currently\ )?(?:unable|not\ able|not\ comfortable)(?:\ to)?)
      \ (?:\w+\ )?(?:
        (?:help|assist|engage|participate|continue|proceed|comply|be\ of\ (?:help|assistance))
          (?:\ (?:you\ )?(?:with|in)\ (?:that|this|these|such|your\ request|the\ request|any)\b|[.,!])
        | (?:fulfill?|complete|answer|support|condone|facilitate|satisfy|accommodate|grant)
          \ (?:that|this|these|such|your\ request|the\ request)\b
        | (?:provide|offer|give|share|generate|create|write|produce|promote|encourage|discuss)\ (?:you\ )?
          (?:with\ )?(?:that|this|these|such|(?:any\ )?(?:\w+\ ){0,2}?(?:instructions|guidance|content|advice)
          \ (?:on|for|about|that|to|how))\b
      )
    | \b(?:ich\ (?:kann|darf|werde)|(?:kann|darf|werde)\ ich)\ (?:\w+,?\ ){0,4}?
      (?:diese[rsnm]?|solche[rsn]?|ihre[rn]?|deine[rn]?|dabei|hierbei|damit|das)\ (?:\w+\ ){0,4}?nicht\ (?:\w+\ )?
      (?:weiterhelfen|helfen|behilflich|beantworten|erfüllen|unterstützen|nachkommen|bereitstellen|erstellen|ausführen)
    | \b(?:dabei|hierbei|damit)\ (?:kann|darf)\ ich\ (?:\w+\ ){0,3}?nicht\ (?:weiter)?(?:helfen|dienen)
    | \bje\ ne\ (?:peux|puis)\ (?:malheureusement\ )?pas\ (?:vous\ |t')?
      (?:aider|assister|répondre|fournir|accéder)\ ?(?:à|avec|dans|sur|de|ce|cette|[.,!])
    | \b(?:lo\ siento|lamentablemente|disculp\w+)[^.]{0,20}\bno\ puedo
      \ (?:ayudar|cumplir|proporcionar|responder|asistir|participar)
    """


def may_decline(first_words: Iterable[str]) -> bool:
    """Whether an answer that begins with these words may hold a refusal, told by a quick look."""
    return not _CUES.isdisjoint(first_words)


def speaks_as_machine(text: str) -> bool:
    """Whether an answer names a machine."""
    return any(name in text for name in _MACHINES)


def refusal_in(text: str) -> str | None:
    """Return the words of a text that decline, or None."""
    text = text.replace("\u2019", "'")
    found = re.search(_DECLINED, text[:HEAD]) or re.search(_SELF, text[:HEAD])
    if found is None and speaks_as_machine(text):
        found = re.search(_SELF, text)
    return found.group() if found else None
