"""Secrets in a text: keys with a known prefix, private keys, Azure credentials, tokens, passwords in addresses.

A key is reported for its form, whether or not it opens anything; that cannot be tried here. What only shows the
form (`sk-...`, `AKIA<your id>`, `xxxxxxxx`) is none.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from tunegate.core.patterns import lazy_pattern
from tunegate.dataqa.masking import STARS, Match, find_all, show_first
from tunegate.dataqa.prefilter import may_hold_token


@dataclass(frozen=True, slots=True)
class Form:
    """The form of one kind of secret.

    `signs` are strings of which a text must hold one; the group `secret` of the pattern is what gets masked, all
    of it but the group `shown` at its start.
    """

    rule: str
    kind: str
    signs: tuple[str, ...]
    pattern: re.Pattern[str]


_NOT_BEFORE = r"(?<![A-Za-z0-9_\-])"
_NOT_AFTER = r"(?![A-Za-z0-9_\-])"


def _key(kind: str, signs: str, shown: str, body: str) -> Form:
    """Make the form of a key that is `shown`, its public prefix, and then `body`."""
    pattern = lazy_pattern(rf"{_NOT_BEFORE}(?P<secret>(?P<shown>{shown})(?P<body>{body})){_NOT_AFTER}")
    return Form("SEC001", kind, tuple(signs.split()), pattern)


KEYS = (
    _key("OpenAI key", "sk-", r"sk-(?:proj|svcacct|admin|None)-", r"[A-Za-z0-9_\-]{20,}"),
    _key("Anthropic key", "sk-ant-", r"sk-ant-(?:[a-z0-9]+-)?", r"[A-Za-z0-9_\-]{20,}"),
    _key("OpenAI key", "sk-", r"sk-(?:or-v1-)?", r"[A-Za-z0-9]{20,}"),
    _key("AWS access key", "AKIA ASIA", r"AKIA|ASIA", r"[A-Z0-9]{16}"),
    _key("GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_", r"[A-Za-z0-9]{30,}"),
    _key("GitHub token", "github_pat_", r"github_pat_", r"[A-Za-z0-9_]{40,}"),
    _key("GitLab token", "glpat-", r"glpat-", r"[A-Za-z0-9_\-]{20,}"),
    _key("Hugging Face token", "hf_", r"hf_", r"[A-Za-z0-9]{30,}"),
    _key("Slack token", "xox xapp-", r"xox[abeoprs]-|xapp-", r"[A-Za-z0-9\-]{20,}"),
    _key("Google key", "AIza", r"AIza", r"[A-Za-z0-9_\-]{35}"),
    _key("Stripe key", "k_live_", r"[sr]k_live_", r"[A-Za-z0-9]{20,}"),
    _key("npm token", "npm_", r"npm_", r"[A-Za-z0-9]{36}"),
)

# Not the marks alone, which every manual names: at least the first characters of a key must follow.
_PRIVATE_KEY = Form(
    "SEC002",
    "private key",
    ("PRIVATE KEY",),
    lazy_pattern(
        r"(?P<secret>-----BEGIN (?:[A-Z0-9]{2,9} ){0,2}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:\s|\\[nr]|[\w\-]{3,20}: [^\n]{0,200}\n)*(?P<body>[A-Za-z0-9+/=]{20,})"
        r"(?:[A-Za-z0-9+/=\s]|\\[nr])*(?:-----END (?:[A-Z0-9]{2,9} ){0,2}PRIVATE KEY(?: BLOCK)?-----)?)"
    ),
)

_VALUE = r"[A-Za-z0-9+/]"
AZURE = (
    Form(
        "SEC003",
        "Azure storage account key",
        ("AccountKey",),
        lazy_pattern(rf"AccountKey\s*=\s*(?P<secret>(?P<body>{_VALUE}{{40,}}={{0,2}}))"),
    ),
    Form(
        "SEC003",
        "Azure shared access key",
        ("SharedAccessKey",),
        lazy_pattern(rf"SharedAccessKey\s*=\s*(?P<secret>(?P<body>{_VALUE}{{30,}}={{0,2}}))"),
    ),
    Form(
        "SEC003",
        "Azure shared access signature",
        ("sig=",),
        lazy_pattern(
            r"(?:[?&;](?:se|sp|sr|st|sv|skn)=[^\s\"'<>]{0,400}&(?:amp;)?|[?&;])sig=(?P<secret>(?P<body>"
            r"(?:[A-Za-z0-9+/_\-]|%[0-9A-Fa-f]{2}){30,}={0,2}))"
        ),
    ),
    Form(
        "SEC003",
        "Azure AI key",
        ("JQQJ99",),
        lazy_pattern(
            rf"{_NOT_BEFORE}(?P<secret>(?P<body>[A-Za-z0-9]{{30,60}}JQQJ99[A-Za-z0-9]{{10,}})){_NOT_AFTER}"
        ),
    ),
    Form(
        "SEC003",
        "Azure AI key",
        ("ubscription", "SUBSCRIPTION", "AZURE", "azure", "Azure", "api-key", "COGNITIVE", "CONTENT_SAFETY"),
        lazy_pattern(
            r"(?:Ocp-Apim-Subscription-Key|(?:AZURE|COGNITIVE|CONTENT_SAFETY)\w{0,40}KEY|api-key"
            r"|azure[ \-]\w{2,12} key)[\"']?\s*(?:=>|[:=]|is|ist|lautet)?\s*[\"']?"
            r"(?P<secret>(?P<body>[0-9a-f]{32}))(?![0-9A-Za-z])",
            re.IGNORECASE,
        ),
    ),
    Form(
        "SEC003",
        "password in a connection string",
        ("://",),
        lazy_pattern(
            r"\b[a-z][a-z0-9+]{1,20}://[^\s:/@\"'<>]{0,64}:(?P<secret>(?P<body>[^\s@/\"'<>]{4,128}))@[\w\[]"
        ),
    ),
    Form(
        "SEC003",
        "password in a connection string",
        ("assword", "ASSWORD", "wd=", "WD="),
        lazy_pattern(
            r"\b(?:server|data source|host|user id|uid|user)\s*=[^\n]{1,200}?;\s*(?:password|pwd)\s*=\s*"
            r"(?P<secret>(?P<body>[^;\s\"'<>]{4,128}))",
            re.IGNORECASE,
        ),
    ),
)

_JWT = Form(
    "SEC004",
    "web token (JWT)",
    ("eyJ",),
    lazy_pattern(
        rf"{_NOT_BEFORE}(?P<secret>(?P<shown>eyJ)(?P<body>[\w\-]{{10,}}\.eyJ[\w\-]{{10,}}\.[\w\-]{{10,}})){_NOT_AFTER}",
        re.ASCII,
    ),
)

FORMS = (*KEYS, _PRIVATE_KEY, *AZURE, _JWT)

# SEC004 without a known form: a word for a secret, and right after it a token that looks random.
_WORD_BEFORE = lazy_pattern(
    r"(?:(?<!public[ _\-])key|secret|token|passw(?:or[dt])?|pwd|passphrase|credentials?|schlüssel|kennwort"
    r"|zugangsdaten).{0,24}\Z",
    re.IGNORECASE | re.DOTALL,
)
_TOKEN = lazy_pattern(r"(?<![A-Za-z0-9+/_\-.])[A-Za-z0-9+/_\-]{20,}={0,2}(?![A-Za-z0-9+/_\-.]\w)")
_HEXADECIMAL = lazy_pattern(
    r"(?:key|secret|token|passw(?:or[dt])?|pwd)[\"']?\s*(?:=>|[:=])\s*[\"']?(?P<secret>[0-9a-f]{32,})(?![0-9A-Za-z\-])",
    re.IGNORECASE,
)
_REACH = 36

# Words in a value that only stands for a secret.
_PLACEHOLDER = lazy_pattern(
    r"your|xxxx|\.\.\.|\*\*\*|placeholder|change.?me|insert|replace|redacted|dummy|deine?[_\-]|ihre?[_\-]",
    re.IGNORECASE,
)
_SAMPLE_PASSWORDS = frozenset(
    ["pass", "password", "passwd", "passwort", "pwd", "secret", "geheim", "token", "user", "root", "admin", "test"]
)


def find_secrets(text: str) -> list[Match]:
    """Return the secrets of a text, in its order and without overlaps."""
    raw = text.encode("utf-8", "surrogatepass")
    if not may_hold_secret(raw):
        return []
    return find_all(text, lambda text: [*_of_known_form(text), *_near_a_word(text)])


def may_hold_secret(raw: bytes) -> bool:
    """Whether text or JSON may hold a secret: a token of 20 characters, or a connection string."""
    return may_hold_token(raw) or (b"@" in raw and b"/" in raw and b":" in raw) or (b";" in raw and b"=" in raw)


def _of_known_form(text: str) -> Iterator[Match]:
    for form in FORMS:
        if not any(sign in text for sign in form.signs):
            continue
        for found in form.pattern.finditer(text):
            if _is_real(form, found["body"]):
                shown = found.groupdict().get("shown") or ""
                masked = show_first(shown, len(shown))
                yield Match(*found.span("secret"), form.rule, form.kind, masked)


def _is_real(form: Form, body: str) -> bool:
    """Whether the secret part of a match is more than an example of its form."""
    if form.kind.startswith("password"):
        return body.lower() not in _SAMPLE_PASSWORDS and not _PLACEHOLDER.search(body) and body[0] not in "${%["
    return len(set(body)) >= 8 and _is_mixed(body) and not _PLACEHOLDER.search(body)


def _is_mixed(body: str) -> bool:
    """Whether a value has digits, or capital and small letters without separators: no plain words."""
    if any(sign.isdigit() for sign in body):
        return True
    return body != body.lower() and body != body.upper() and not ("-" in body or "_" in body)


def _near_a_word(text: str) -> Iterator[Match]:
    """Give the random-looking tokens that follow a word for a secret, unless an address begins between them."""
    for token in _TOKEN.finditer(text):
        before = _WORD_BEFORE.search(text, max(0, token.start() - _REACH), token.start())
        if before and "://" not in before.group() and _is_random(token.group()):
            yield Match(*token.span(), "SEC004", "secret token", STARS)
    for found in _HEXADECIMAL.finditer(text):
        if len(set(found["secret"])) >= 8:
            yield Match(*found.span("secret"), "SEC004", "secret token", STARS)


def _is_random(token: str) -> bool:
    """Whether a token looks drawn by lot.

    It has small letters, capitals and digits, 3.7 bits a character or more (20 characters drawn from 62 have 4.1
    on average), and changes between the three kinds often: at 0.62 of the steps in random text, at 0.35 in
    NamesWrittenLikeThis2.
    """
    kinds = [2 if sign.isdigit() else 1 if sign.isupper() else 0 for sign in token if sign.isalnum()]
    if len(set(kinds)) < 3 or _PLACEHOLDER.search(token):
        return False
    changes = sum(left != right for left, right in pairwise(kinds))
    return changes >= 0.42 * (len(kinds) - 1) and entropy(token) >= 3.7


def entropy(text: str) -> float:
    """Return Shannon's entropy of a text, in bits a character."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)
