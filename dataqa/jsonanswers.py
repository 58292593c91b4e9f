"""Answers that must be JSON: whether the system message asks for it, and what keeps an answer from being it."""

from __future__ import annotations

import re

import orjson

from tunegate.core.patterns import lazy_pattern

_REQUEST = r"""(?ix)
    (?:\b(?:answer|answers|respond|reply|replies|return|output|produce|write|emit|give|provide|responses?|results?)\b
      [^.!?\n]{0,60}?\b(?:in|as|with|using|only|a|an|valid|be|is|are|raw|strict|single|return|output)\s+
      (?:(?:a|an|valid|only|raw|strict|single|well-formed|one|the|following|pure|plain|minified|compact)\s+){0,4}json\b
    |\b(?:return|output|emit|respond\ with|reply\ with)\s+json\b
    |\bjson\b\s+(?:only|format\s+only|output\s+only)\b
    |\b(?:antwort\w*|erwider\w*|gib|gebe|liefer\w*|schreib\w*|ausgabe\w*|reagier\w*)\b
      [^.!?\n]{0,60}?\b(?:in|als|im|mit|nur|ausschließlich|gültiges|valides|reines|ein)\s+
      (?:(?:gültige[smn]?|valide[smn]?|nur|reine[smn]?|ein|einem|einzige[smn]?|gültigem|folgende[smn]?)\s+){0,3}json\b)
    """

# What makes a sentence something else than an order for every answer.
_OTHERWISE = r"""(?ix)\b(?:
    if|when|whenever|unless|once|not|never|don't|avoid|without|except|instead\ of|rather\ than|may|can|either|or
    |functions?|tools?|calls?|arguments?|parameters?|xml|tags?|files?|input|yaml|csv|about|explain|expert|help
    |wenn|falls|sobald|nicht|nie|niemals|kein|keine|kannst|können|darfst|ohne|statt|außer|oder
    |funktion\w*|werkzeug\w*|aufruf\w*|datei\w*|eingabe\w*|hilfst|helfen|erklär\w*
)\b"""
_LINES = lazy_pattern(r"json\s*-?lines|jsonl|ndjson|json\s+per\s+line|json\s+pro\s+zeile", re.IGNORECASE)
_END = lazy_pattern(r"[.!?\n]")
_FENCED = lazy_pattern(r"\s*```(?:json|JSON)?[ \t]*\r?\n(.*?)\r?\n?[ \t]*```\s*", re.DOTALL)


def asks_for_json(instructions: str) -> bool:
    """Whether a system message says, without a condition, that every answer is JSON."""
    if _LINES.search(instructions):
        return False
    return any(
        "json" in sentence.lower() and re.search(_REQUEST, sentence) and not re.search(_OTHERWISE, sentence)
        for sentence in _END.split(instructions)
    )


def why_no_json(text: str) -> str | None:
    """Say what keeps an answer, with or without a fence around it, from being JSON; None where it is."""
    fenced = _FENCED.fullmatch(text)
    try:
        orjson.loads(fenced[1] if fenced else text)
    except orjson.JSONDecodeError as error:
        return error.msg.partition(":")[0]
    except UnicodeEncodeError:
        return "a lone surrogate"
    return None
