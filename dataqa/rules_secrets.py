# ruff: noqa: D401 (the first line of a rule's docstring is its title: it says what is wrong)
"""The SEC rules: keys, tokens, passwords anywhere in a row. Messages and repairs show them masked only."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tunegate.core.findings import Severity
from tunegate.dataqa.hit import Hit
from tunegate.dataqa.prefilter import may_hold_token
from tunegate.dataqa.row import Row
from tunegate.dataqa.rule import Rule, rule
from tunegate.dataqa.secrets import find_secrets, may_hold_secret
from tunegate.dataqa.sensitive import chat_example, hits, looking_for, masked

_look = looking_for(find_secrets)
_REPAIR = "make it invalid where it was issued, and mask it here"


@rule(
    "SEC001",
    Severity.ERROR,
    bad=chat_example("The job runs with AKIAIOSFODNN7EXAMPLE and stopped."),
    good=chat_example("The job runs with AKIA... and stopped."),
    says="AWS access key AKIA***: make it invalid where it was issued, and mask it here",
    fix="unsafe",
    repair=partial(masked, find=find_secrets, rule_id="SEC001"),
    may_hit=may_hold_token,
)
def key_with_prefix(row: Row) -> Iterator[Hit]:
    """A text holds the key of a service, known by its prefix.

    OpenAI, Anthropic, AWS, GitHub, GitLab, Hugging Face, Slack, Google, Stripe, npm. A key is reported for its
    form: also one that a manual prints. A prefix with dots or `your-key` after it is none.
    """
    yield from hits(row, _look, "SEC001", _REPAIR)


@rule(
    "SEC002",
    Severity.ERROR,
    bad=chat_example("-----BEGIN PRIVATE KEY-----\\nMC4CAQAwBQYDK2VwBCIEfake\\n-----END PRIVATE KEY-----"),
    good=chat_example("-----BEGIN PRIVATE KEY-----\\n(your key)\\n-----END PRIVATE KEY-----"),
    says="private key ***: make it invalid where it was issued, and mask it here",
    fix="unsafe",
    repair=partial(masked, find=find_secrets, rule_id="SEC002"),
    may_hit=may_hold_token,
)
def private_key(row: Row) -> Iterator[Hit]:
    """A text holds a private key in PEM form.

    The opening line with at least the first 20 characters of a key; the line alone, as manuals quote it, is none.
    """
    yield from hits(row, _look, "SEC002", _REPAIR)


@rule(
    "SEC003",
    Severity.ERROR,
    bad=chat_example("AccountName=shop;AccountKey=" + "fake0Key1" * 9 + "fake0==;EndpointSuffix=core.windows.net"),
    good=chat_example("AccountName=shop;AccountKey=...==;EndpointSuffix=core.windows.net"),
    says="Azure storage account key ***: make it invalid where it was issued, and mask it here",
    fix="unsafe",
    repair=partial(masked, find=find_secrets, rule_id="SEC003"),
    may_hit=may_hold_secret,
)
def azure_credential(row: Row) -> Iterator[Hit]:
    """A text holds a credential of Azure, or a password in a connection string.

    Storage account key, shared access key and signature (`sig=`), key of an Azure AI service, and the password of
    a connection string or of a URL such as `postgres://user:...@server`.
    """
    yield from hits(row, _look, "SEC003", _REPAIR)


@rule(
    "SEC004",
    Severity.WARNING,
    bad=chat_example("Our client secret is q7Rf2LmX9vBt4KzW8sHd1PaY."),
    good=chat_example("Our client secret is still missing."),
    says="secret token ***: make it invalid where it was issued, and mask it here",
    fix="unsafe",
    repair=partial(masked, find=find_secrets, rule_id="SEC004"),
    may_hit=may_hold_token,
)
def token_near_word(row: Row) -> Iterator[Hit]:
    """A text holds a web token, or a random-looking token after a word such as key or password.

    A web token is a JWT. Random-looking: 20 characters or more with small letters, capitals and digits that change
    often, or 32 or more hexadecimal digits that are assigned to such a word.
    """
    yield from hits(row, _look, "SEC004", _REPAIR)


RULES: tuple[Rule, ...] = (key_with_prefix, private_key, azure_credential, token_near_word)
