"""What was never filled in: variables of templates, words for nothing in the place of an answer."""

from __future__ import annotations

import re

from tunegate.core.patterns import lazy_pattern
from tunegate.dataqa.code_spans import prose

# How programs write that there is no value: Python, JSON, JavaScript, pandas, spreadsheets. The first ones are
# words too, and may be the name of a class.
WORDS = frozenset({"none", "null", "n/a", "nil"})
_NOTHING = WORDS | {"nan", "nat", "undefined", "#n/a", "<na>", "(null)", "[object object]"}
_LONGEST = 40
# What a person asks that may be answered with one of these.
_ABOUT_PROGRAMS = lazy_pattern(
    r"`|python|javascript|\bjs\b|\bsql\b|pandas|numpy|\bcode\b|\bprints?\b|output|returns?\b|evaluat|function"
    r"|variable|dtype|typeof|ausgabe|funktion|gibt .* zurück",
    re.IGNORECASE,
)

_VARIABLE = lazy_pattern(
    r"(?<![\\\w^_}{$])\{\{[-~#]?\s*[^\W\d][\w .-]{0,40}\}\}|\{%-?\s*(?:if|for|set|include)\s[^%\n]{1,80}%\}"
)
_NOUNS = (
    r"(?:full |first |last )?name|company|address|e-?mail|phone|job|position|title|city|state|country|contact"
    r"|signature|organi[sz]ation|department|website|firma|adresse|anschrift|telefon|stadt|unterschrift|e-mail-adresse"
)
_GAP = lazy_pattern(
    r"[\[<](?:(?-i:INSERT)|(?:please |bitte )?(?:insert|fill in)[ _-][^\]\[<>\n]{1,60}|placeholder|platzhalter"
    rf"|(?:your|ihre?|deine?)[ _-](?:{_NOUNS})(?:[ _-][^\]\[<>\n]{{1,30}})?"
    r"|[^\]\[<>\n]{1,40} (?:einfügen|einsetzen|eintragen))[\]>](?!\()",
    re.IGNORECASE,
)

# Who asks for a template, or works on one, gets its variables; a letter has to be filled in by who sends it.
_ABOUT_TEMPLATES = lazy_pattern(
    r"templat|placeholder|jinja|mustache|handlebars|liquid|django|twig|\bvue\b|angular|ansible|\bhelm\b|python|html"
    r"|javascript|\breact\b|\bvariables?\b|mail ?merge|merge field|locali[sz]|translat|i18n|wiki|vorlage"
    r"|platzhalter|variablen|serienbrief|übersetz|lokalisier|snippet|\bcode\b|\bprompts?\b|\bfill in\b|replace"
    r"|ersetz|ausfüll|lückentext|\\[a-zA-Z]{2,}",
    re.IGNORECASE,
)
_ABOUT_LETTERS = lazy_pattern(
    r"\b(?:e-?mail|mail|letter|draft|write|compose|cover|resume|cv|contract|invoice|form|speech|invitation|message"
    r"|post|reply|response|advert|announcement|proposal|report|review|agreement|policy|press|script|note|bio|profile)"
    r"|brief|schreib|verfass|entwirf|entwurf|formulier|bewerbung|lebenslauf|vertrag|rechnung|kündigung|einladung"
    r"|\brede\b|nachricht|anzeige|antrag|widerspruch|muster",
    re.IGNORECASE,
)


def variables(text: str, asked: str = "") -> list[str]:
    """Return the variables of templates in the prose of a text; none where it, or the question, is about such."""
    found = _VARIABLE.findall(prose(text)) if "{{" in text or "{%" in text else []
    if not found or _ABOUT_TEMPLATES.search(text) or _ABOUT_TEMPLATES.search(asked):
        return []
    return [each for each in found if each not in asked]


def gaps(text: str, asked: str) -> list[str]:
    """Return the gaps in the prose of an answer that were to be filled in; none where a letter was asked for."""
    found = _GAP.findall(prose(text)) if "[" in text or "<" in text else []
    if not found or _ABOUT_TEMPLATES.search(f"{text}\n{asked}") or _ABOUT_LETTERS.search(asked):
        return []
    return [each for each in found if each not in asked]


def is_nothing(answer: str, asked: str) -> bool:
    """Whether an answer is a program's word for nothing that what was asked does not lead to.

    It does where it names the word, as one of the answers to choose from, and where it is about programs.
    """
    word = answer[:_LONGEST].strip().casefold()
    if len(answer) >= _LONGEST or word not in _NOTHING or _ABOUT_PROGRAMS.search(asked):
        return False
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", asked, re.IGNORECASE) is None
