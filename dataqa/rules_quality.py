# ruff: noqa: D401 (the first line of a rule's docstring is its title: it says what is wrong)
"""The QUAL rules about one row: what a model would learn from an answer that it should not."""

from __future__ import annotations

from collections.abc import Iterator

from tunegate.core.findings import Severity
from tunegate.core.patterns import lazy_pattern
from tunegate.dataqa.copying import copied, wants_text_back
from tunegate.dataqa.cutoff import cut_of
from tunegate.dataqa.gibberish import is_gibberish
from tunegate.dataqa.hit import Hit
from tunegate.dataqa.jsonanswers import asks_for_json, why_no_json
from tunegate.dataqa.language import SMALL
from tunegate.dataqa.languages import answered_otherwise, name_of
from tunegate.dataqa.refusals import may_decline, names_machine, refusal_in, speaks_as_machine
from tunegate.dataqa.repetition import repetition_in, wants_repetition
from tunegate.dataqa.replies import instructions, replies
from tunegate.dataqa.row import Row
from tunegate.dataqa.rule import Rule, rule
from tunegate.dataqa.showing import masked
from tunegate.dataqa.wording import quoted


def _chat(user: str, assistant: str, system: str = "") -> str:
    import json

    messages = [{"role": "system", "content": system}] if system else []
    messages += [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]
    return json.dumps({"messages": messages}, ensure_ascii=False)


@rule(
    "QUAL001",
    Severity.WARNING,
    bad=_chat("Where is my parcel?", "I'm sorry, but as an AI language model I cannot look that up."),
    good=_chat("Where is my parcel?", "I'm sorry, but your parcel was lost. We will send a new one."),
    says="the answer declines as a machine ('as an AI language model I cannot'): write the answer that you want, "
    "or drop the row",
)
def refusal(row: Row) -> Iterator[Hit]:
    """A trained answer refuses, or says that it comes from an AI and may not.

    A model that learns refusals refuses more than it should. Answers made by another model bring them along. Known
    in English, German, French and Spanish, by whole clauses. In a set that is to teach refusing harmful requests
    they are wanted: leave the rule out there with `ignore`.
    """
    anywhere = names_machine(row.raw)
    for reply in replies(row):
        if not (may_decline(reply.first_words) or (anywhere and speaks_as_machine(reply.text))):
            continue
        found = refusal_in(reply.text)
        if found:
            message = f"the answer declines as a machine ({quoted(' '.join(found.split()))})"
            yield Hit(f"{message}: write the answer that you want, or drop the row", reply.at)


@rule(
    "QUAL002",
    Severity.WARNING,
    bad=_chat("Why was I charged twice?", "There are two reasons for that. The three most frequent are: 1."),
    good=_chat("Why was I charged twice?", "There are two reasons for that. The most frequent is a second try."),
    says="the answer looks cut, the last item of a list is empty: write it to its end, or drop the row",
)
def cut(row: Row) -> Iterator[Hit]:
    """An answer looks cut before its end.

    Long prose without an end mark, an open bracket or code block, an empty item, a colon with nothing after it. A
    model learns where to stop from where answers stop. Lists, code, names, labels and short answers need no end.
    """
    for reply in replies(row):
        how = cut_of(reply.text)
        if how:
            yield Hit(f"the answer looks cut, {how}: write it to its end, or drop the row", reply.at)


@rule(
    "QUAL004",
    Severity.WARNING,
    bad=_chat("Is it in stock?", "Yes yes yes yes yes yes yes yes yes yes."),
    good=_chat("Is it in stock?", "Yes, all sizes are there again."),
    says="the answer repeats itself, 'yes' comes 10 times in 10 words: write it once, or drop the row",
)
def repetition(row: Row) -> Iterator[Hit]:
    """An answer says the same again and again.

    As of a model caught in a loop. Measured as in the filters of MassiveText (Rae et al. 2021): one run of two,
    three or four words takes more than 20, 18 or 16 % of the text, or repeated runs of five to ten words more than
    15 to 10 %. Texts under 50 words are named only when three quarters of their words are repeated. A song, or a
    word so many times, may be asked for.
    """
    for reply in replies(row):
        what = repetition_in(reply.text)
        if what and not wants_repetition(reply.asked):
            # of a run of words in small letters nobody would know that it is a key
            what = repetition_in(masked(reply.text)) or "with few words"
            yield Hit(f"the answer repeats itself, {what}: write it once, or drop the row", reply.at)


@rule(
    "QUAL005",
    Severity.WARNING,
    bad=_chat("How long does a transfer to France take?", "How long does a transfer to France take?"),
    good=_chat("How long does a transfer to France take?", "A transfer to France takes one working day."),
    says="the answer is the question again (100% alike): write the answer, or drop the row",
)
def copy(row: Row) -> Iterator[Hit]:
    """An answer copies what was asked.

    More than 90 % alike by the longest common run of words. Where user or system ask for the text back, repeated,
    corrected, translated or formatted, nothing is said.
    """
    for reply in replies(row):
        ratio = copied(reply.text, reply.asked)
        if ratio is not None and not wants_text_back(instructions(row)):
            message = f"the answer is the question again ({ratio:.0%} alike)"
            yield Hit(f"{message}: write the answer, or drop the row", reply.at)


@rule(
    "QUAL006",
    Severity.WARNING,
    bad=_chat(
        "Wie kann ich meine Bestellung ändern, wenn sie noch nicht verschickt ist?",
        "You can change your order on the page of the order, as long as it has not been sent.",
    ),
    good=_chat(
        "Wie kann ich meine Bestellung ändern, wenn sie noch nicht verschickt ist?",
        "Sie können die Bestellung auf ihrer Seite ändern, solange sie noch nicht verschickt ist.",
    ),
    says="the user writes German and the answer is English: answer in the user's language, or ask for the "
    "other one",
)
def other_language(row: Row) -> Iterator[Hit]:
    """An answer is in another language than the user's, and nobody asked for it.

    Both languages must be sure: texts of 40 letters or more that a model for 97 languages tells with a probability
    of 0.9. Where a language or a translation is named before, nothing is said.
    """
    for reply, asked, answered in answered_otherwise(row):
        message = f"the user writes {name_of(asked)} and the answer is {name_of(answered)}"
        yield Hit(f"{message}: answer in the user's language, or ask for the other one", reply.at)


@rule(
    "QUAL008",
    Severity.WARNING,
    bad=_chat("How do I log in?", "asdkj qwrtz 8!!kk sdfgh jklsd"),
    good=_chat("How do I log in?", "On the start page, at the top."),
    says="the answer is no language that can be read: write the answer, or drop the row",
)
def gibberish(row: Row) -> Iterator[Hit]:
    """An answer cannot be read: keys struck at random, or a heap of signs.

    Told by vowels and clusters of consonants. Code, tables, formulas, identifiers and abbreviations are left
    alone, and what was asked for, such as a cipher or a password.
    """
    for reply in replies(row):
        if SMALL.isdisjoint(reply.first_words) and is_gibberish(reply.text, reply.asked):
            yield Hit("the answer is no language that can be read: write the answer, or drop the row", reply.at)


_AS_JSON = "You sort mails. Respond only in valid JSON."


@rule(
    "QUAL009",
    Severity.ERROR,
    bad=_chat("I want my money back.", '{"topic": "refund",}', _AS_JSON),
    good=_chat("I want my money back.", '{"topic": "refund"}', _AS_JSON),
    says="the system message asks for JSON and the answer is none (trailing comma is not allowed): write "
    "valid JSON",
    needs=(b"JSON", b"json", b"Json"),
)
def no_json(row: Row) -> Iterator[Hit]:
    """The system message asks for JSON and an answer does not parse.

    The program that reads the answers would fail on it. One fence around the JSON is allowed. Nothing is said
    where the system message asks for it under a condition, or for arguments of tools only.
    """
    if not _IS_JSON.search(row.raw):
        return
    found = replies(row)
    if found and asks_for_json(instructions(row)):
        for reply in found:
            why = why_no_json(reply.text)
            if why:
                message = f"the system message asks for JSON and the answer is none ({why}): write valid JSON"
                yield Hit(message, reply.at)


_IS_JSON = lazy_pattern(rb"\"(?:system|developer)\"")

RULES: tuple[Rule, ...] = (refusal, cut, repetition, copy, other_language, gibberish, no_json)
