# ruff: noqa: D401 (the first line of a rule's docstring is its title: it says what is wrong)
"""The QUAL rules about a set: answers, labels and texts that do not fit the others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from tunegate.core.findings import Severity
from tunegate.dataqa.confident import doubts, outliers
from tunegate.dataqa.entry import Entry
from tunegate.dataqa.hit import Hit
from tunegate.dataqa.language import by_small_words, language_of, script_of, small_words
from tunegate.dataqa.languages import are_close, name_of
from tunegate.dataqa.rule import Rule, rule
from tunegate.dataqa.survey import survey_of
from tunegate.dataqa.wording import quoted

Found = Iterator[tuple[Entry, Hit]]


def _row(user: str, assistant: str) -> str:
    turns = f'{{"role": "user", "content": "{user}"}}, {{"role": "assistant", "content": "{assistant}"}}'
    return f'{{"messages": [{turns}]}}'


# Shorter answers are named where half of the others are this long: there they are no house style.
SHORT = 12
LONG = 60
MIN_ANSWERS = 3

# Answers that say nothing in any set.
_FILLERS = frozenset(
    [
        "ok",
        "okay",
        "k",
        "kk",
        "hm",
        "hmm",
        "mhm",
        "uh",
        "um",
        "idk",
        "todo",
        "tbd",
        "test",
        "asdf",
        "xxx",
        "foo",
        "bar",
        "na",
        "n/a",
        "lol",
        "blah",
    ]
)

# Short answers that say all: yes and no, thanks, letters of a choice, numbers, dates, sums, names, code, and all
# that is written without spaces between words.
_WHOLE = r"""(?xs)
(?:yes|no|yep|nope|yeah|ja|nein|doch|oui|non|si|sí|sì|nee|true|false|wahr|falsch|richtig|correct|right|wrong
      |stimmt|thanks|thank\ you|danke|merci|gracias|hi|hello|hey|hallo|bye|tschüss|sure|gern|gerne|klar|never|nie
      |always|immer|none|keine?|both|beide|maybe|vielleicht|unknown|unbekannt|sorry|done|erledigt|neutral|positiv|negativ
      |positive|negative|spam|ham)[.!]?
    |\(?\w[).]?
    |.*\d.*
    |[A-ZÄÖÜÀ-Þ].*
    |[^\W\d_]+(?:[_/:-][^\W_]+)+
    |.*[^\x00-\u024f].*
    |[`'"$\\{\[(<].*"""

_ASKED = ("Where is it?", "Why?", "What now?", "How?")
_SAID = "It stands on the last page of the bill, below the sum, in small letters."


@rule(
    "QUAL003",
    Severity.WARNING,
    scope="set",
    bad=[*[_row(asked, _SAID) for asked in _ASKED[:3]], _row(_ASKED[3], "ok")],
    good=[*[_row(asked, _SAID) for asked in _ASKED[:3]], _row(_ASKED[3], "14 days")],
    says="the answer is only 'ok', half of the answers have 72 characters or more: write it out, or drop the row",
)
def short(entries: Sequence[Entry], data: Any) -> Found:
    """An answer is too short to say anything.

    Marks without a word, fillers such as "ok" or "todo", and, in a set whose answers are sentences, less than 12
    characters that are no name, number, date, yes or no. Sets of labels are left alone.
    """
    survey = survey_of(entries, data)
    if survey.labels is not None or len(entries) < MIN_ANSWERS:
        return
    middle = sorted(len(entry.answer) for entry in entries)[len(entries) // 2]
    for entry in entries:
        answer = entry.answer.strip()
        if 0 < len(answer) < SHORT and not entry.calls and _says_nothing(answer, middle):
            message = f"the answer is only {quoted(answer)}, half of the answers have {middle} characters or more"
            yield entry, Hit(f"{message}: write it out, or drop the row")


def _says_nothing(answer: str, middle: int) -> bool:
    bare = answer.lower().strip(" .!?,;:-…")
    if answer.isascii() and not any(map(str.isalnum, answer)):
        return True
    if bare in _FILLERS:
        return middle > SHORT
    return middle >= LONG and answer.islower() and re.fullmatch(_WHOLE, answer) is None


_GERMAN = "Die Bestellung ist noch nicht verschickt, und wir können sie bis morgen ändern."
_FINNISH = "Tilausta ei ole vielä lähetetty, joten voimme muuttaa sitä huomiseen asti."


@rule(
    "QUAL007",
    Severity.INFO,
    scope="set",
    bad=[_row("Kann ich die Bestellung noch ändern?", _GERMAN), _row("Voinko vielä muuttaa tilausta?", _FINNISH)],
    good=[_row("Kann ich die Bestellung noch ändern?", _GERMAN), _row("Ist sie noch hier?", _GERMAN)],
    example_data={"languages": ("de", "en")},
    says="the row is Finnish ('fi'), which languages = ['de', 'en'] does not name: take it out, or add the "
    "language",
)
def not_allowed(entries: Sequence[Entry], data: Any) -> Found:
    """A row is in a language that the configuration does not allow.

    Asked only where `languages` under `[data]` names those that are. Rows too short to tell are left alone, and so
    are languages that are easily taken for an allowed one.
    """
    allowed = tuple(data.languages)
    if not allowed:
        return
    named = f"[{', '.join(map(repr, allowed))}]"
    is_labelled = survey_of(entries, data).labels is not None
    for entry in entries:
        text = entry.prompt if is_labelled else f"{entry.answer}\n{entry.prompt}"
        if script_of(text) == "la" and by_small_words(small_words(text)) in allowed:
            continue
        found = language_of(text)
        if found is not None and not any(are_close(found, each) for each in allowed):
            message = f"the row is {name_of(found)} ({found!r}), which languages = {named} does not name"
            yield entry, Hit(f"{message}: take it out, or add the language")


_COMPLAINTS = [
    f"The parcel {word} came too late." for word in ("blue", "red", "green", "big", "small", "other", "new")
]
_PRAISES = [
    f"Thank you for the lovely {word} chair." for word in ("blue", "red", "green", "big", "small", "other")
]
_LATE = [_row(text, "complaint") for text in _COMPLAINTS]
_LOVELY = [_row(text, "praise") for text in _PRAISES]


@rule(
    "QUAL010",
    Severity.WARNING,
    scope="set",
    bad=[*_LATE, *_LOVELY, _row("The parcel came too late.", "praise")],
    good=[*_LATE, *_LOVELY, _row("The parcel came too late.", "complaint")],
    says="the label 'praise' (3%) looks wrong, 'complaint' (97%) is likelier: look at it, and correct one of them",
    default=False,
    package="data",
)
def wrong_label(entries: Sequence[Entry], data: Any) -> Found:
    """A label of a classification set looks wrong.

    Confident learning: word counts and logistic regression, trained on four fifths of the rows, judge the last
    fifth. A label is named where another has at least the mean probability of that label's own rows, and 70 % or
    more. Classes of fewer than five rows are left out. It takes seconds, so it is asked only where it is selected.
    """
    survey = survey_of(entries, data)
    if survey.labels is None:
        return
    rows = [(entry, entry.label) for entry in survey.entries if entry.label is not None and entry.prompt.strip()]
    for doubt in doubts([entry.prompt for entry, _ in rows], [label for _, label in rows]):
        entry, label = rows[doubt.place]
        given = f"the label {quoted(label)} ({doubt.own:.0%}) looks wrong"
        likelier = f"{quoted(doubt.likelier)} ({doubt.probability:.0%}) is likelier"
        yield entry, Hit(f"{given}, {likelier}: look at it, and correct one of them")


_USUAL = [
    f"Where is my {what} and when does my {what} come to my {where}?"
    for what in ("parcel", "letter", "order", "chair", "table", "lamp", "book")
    for where in ("house", "shop", "office", "door", "street", "neighbour", "box", "town")
]


@rule(
    "QUAL011",
    Severity.INFO,
    scope="set",
    bad=[
        *[_row(text, "It comes soon, we hope.") for text in _USUAL],
        _row("Qzx vbn plk wrt!", "It comes soon, we hope."),
    ],
    good=[
        *[_row(text, "It comes soon, we hope.") for text in _USUAL],
        _row("Where is my cup?", "It comes soon, we hope."),
    ],
    says="the user's text is unlike all others (likeness 0.00 to its nearest): does it belong to this set?",
    default=False,
    package="data",
)
def outlier(entries: Sequence[Entry], _data: Any) -> Found:
    """A user's text is unlike all others of the set.

    Its mean likeness to the ten nearest, by word counts, is below a quarter of the usual; at most one text in two
    hundred is named. It may be a stray row, or the rarest and best one. Asked only where it is selected.
    """
    rows = [entry for entry in entries if entry.prompt.strip()]
    for place, likeness in outliers([entry.prompt for entry in rows]):
        message = f"the user's text is unlike all others (likeness {likeness:.2f} to its nearest)"
        yield rows[place], Hit(f"{message}: does it belong to this set?")


RULES: tuple[Rule, ...] = (short, not_allowed, wrong_label, outlier)
