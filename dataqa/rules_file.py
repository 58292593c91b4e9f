# ruff: noqa: D401 (the first line of a rule's docstring is its title: it says what is wrong)
"""Rules about a file as a whole: byte-order mark, encoding, line ends, form, size, schemas, name, kind.

Repairs of byte-order mark and encoding are made by `fix.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

from tunegate.core.findings import Severity
from tunegate.core.jsonl import MISSING, decode
from tunegate.dataqa.hit import Hit
from tunegate.dataqa.rule import FileFacts, rule
from tunegate.dataqa.targets import MEGABYTE, target_named

_CHAT = '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}'
_SEPARATORS = {"\u2028": "\\u2028", "\u2029": "\\u2029", "\u0085": "\\u0085"}
SEPARATOR_BYTES = tuple(sign.encode() for sign in _SEPARATORS)


@rule(
    "FILE002",
    Severity.WARNING,
    scope="file",
    fix="safe",
    bad=b"\xef\xbb\xbf" + _CHAT.encode() + b"\n",
    good=_CHAT + "\n",
    says="the file begins with a byte-order mark, which hf does not take: save it as UTF-8 without one",
)
def byte_order_mark(file: FileFacts) -> Iterator[Hit]:
    """The byte-order mark at the start of the file is not as the target wants it.

    Azure's pages ask for one, and its service takes files without; most other readers fail on the first line of a
    file that has one. Our own reader takes both.
    """
    wanted = target_named(file.target).bom
    if file.encoding != "utf-8" or file.form != "lines":
        return
    if file.has_bom and wanted == "refused":
        yield Hit(
            f"the file begins with a byte-order mark, which {file.target} does not take: "
            "save it as UTF-8 without one"
        )
    elif not file.has_bom and wanted == "asked":
        yield Hit(
            f"the file has no byte-order mark; the pages of {file.target} ask for one: save it as UTF-8 with one",
            severity=Severity.INFO,
        )


@rule(
    "FILE003",
    Severity.ERROR,
    scope="file",
    fix="safe",
    bad=(_CHAT + "\n").encode("utf-16"),
    good=_CHAT + "\n",
    says="the file is written in utf-16: save it as UTF-8",
)
def wide_encoding(file: FileFacts) -> Iterator[Hit]:
    """The file is written in UTF-16 or UTF-32.

    Some editors and shells write it so when they redirect output. No trainer reads it. The other rules look at the
    lines as they will be in UTF-8, and count their columns so.
    """
    if file.encoding != "utf-8":
        yield Hit(f"the file is written in {file.encoding}: save it as UTF-8")


def _plain_ends(line: bytes) -> bytes:
    """End a line with LF alone, and write the separators that some readers take for line ends as escapes."""
    if line.endswith(b"\r\n"):
        line = line[:-2] + b"\n"
    if decode(line.removesuffix(b"\n")).value is not MISSING:
        for sign, escape in _SEPARATORS.items():
            line = line.replace(sign.encode(), escape.encode())
    return line


@rule(
    "FILE004",
    Severity.WARNING,
    scope="file",
    fix="safe",
    repair_line=_plain_ends,
    needs=(b"\r", *SEPARATOR_BYTES),
    bad=_CHAT + "\r\n" + _CHAT + "\n",
    good=_CHAT + "\n" + _CHAT + "\n",
    says="1 of 2 lines ends in CR LF: end lines with LF alone",
)
def line_ends(file: FileFacts) -> Iterator[Hit]:
    r"""Lines end in CR LF, or hold a character that some readers take for the end of a line.

    U+2028, U+2029 and U+0085 are sound JSON inside a string, but readers that split lines by Unicode (Python's
    `str.splitlines` among them) cut the row in two there. The fix writes them as `\u2028`, which reads the same.
    """
    count, line = file.carriage_returns
    if count:
        ends = "lines ends" if count == 1 else "lines end"
        yield Hit(f"{count} of {file.rows} {ends} in CR LF: end lines with LF alone", line=line)
    count, line = file.separators
    if count:
        holds = "line holds" if count == 1 else "lines hold"
        yield Hit(
            f"{count} {holds} U+2028, U+2029 or U+0085, where some readers cut it: write it as an escape",
            line=line,
        )


@rule(
    "FILE008",
    Severity.ERROR,
    scope="file",
    bad="[\n" + _CHAT + ",\n" + _CHAT + "\n]\n",
    good=_CHAT + "\n" + _CHAT + "\n",
    says="the whole file is one JSON array: write one object a line, with `jq -c '.[]' FILE > FILE.jsonl`",
)
def one_value(file: FileFacts) -> Iterator[Hit]:
    """The file is one JSON array, or its objects go over several lines.

    JSON lines hold one whole object a line. The rows of such a file are not looked at: write it as lines first,
    and check those.
    """
    if file.form == "array":
        yield Hit(
            "the whole file is one JSON array: write one object a line, with `jq -c '.[]' FILE > FILE.jsonl`"
        )
    elif file.form == "objects":
        yield Hit("its objects go over several lines: write one a line, with `jq -c . FILE > FILE.jsonl`")


@rule(
    "FILE012",
    Severity.ERROR,
    scope="file",
    example_target="openai",
    bad=(_CHAT + "\n") * 7,
    good=(_CHAT + "\n") * 50,
    says="the file has 7 rows, and openai takes 10 or more: add chats",
)
def too_few_rows(file: FileFacts) -> Iterator[Hit]:
    """A training file has fewer rows than the target takes, or than is advised.

    Below the target's least number it is an error. Below the number that is advised to start with it is a note:
    such a set shows whether the pipeline runs, and rarely teaches much.
    """
    target = target_named(file.target)
    if file.split != "train" or file.form != "lines":
        return
    rows = "1 row" if file.rows == 1 else f"{file.rows} rows"
    if target.min_rows and file.rows < target.min_rows:
        yield Hit(f"the file has {rows}, and {file.target} takes {target.min_rows} or more: add chats")
    elif file.rows < target.advised_rows:
        message = f"the file has {rows}: {target.advised_rows} or more are advised to start with"
        yield Hit(message, severity=Severity.INFO)


@rule(
    "FILE013",
    Severity.ERROR,
    scope="file",
    example_target="openai",
    bad=_CHAT + "\n",
    good=_CHAT + "\n",
    example_facts=({"size": 600 * MEGABYTE}, {"size": 500 * MEGABYTE}),
    says="the file has 600 MB, and openai takes 512 MB at most: split it, or take rows out",
)
def too_large(file: FileFacts) -> Iterator[Hit]:
    """The file is larger than the target takes.

    A file that is too large for the upload page only is a warning: clients of the API can still upload it.
    """
    target = target_named(file.target)
    size = f"{file.size / MEGABYTE:.0f} MB"
    if target.max_bytes and file.size > target.max_bytes:
        limit = f"{target.max_bytes // MEGABYTE} MB"
        yield Hit(f"the file has {size}, and {file.target} takes {limit} at most: split it, or take rows out")
    elif target.portal_bytes and file.size > target.portal_bytes:
        limit = f"{target.portal_bytes // MEGABYTE} MB"
        message = f"the file has {size}, and the upload page of {file.target} takes {limit}: upload it by the API"
        yield Hit(message, severity=Severity.WARNING)


def _rows(count: int) -> str:
    return "1 row is" if count == 1 else f"{count} rows are"


@rule(
    "FILE015",
    Severity.ERROR,
    scope="file",
    bad=_CHAT + "\n" + '{"prompt": "Hi", "completion": "Hello"}\n',
    good=_CHAT + "\n" + _CHAT + "\n",
    says="1 row is prompt-completion and 1 row is chat: keep one schema in a file",
)
def mixed_schemas(file: FileFacts) -> Iterator[Hit]:
    """The rows of one file have different schemas.

    A trainer takes one schema a file: chats, preference pairs, prompts with completions, or texts. `tunegate
    prepare` converts prompts with completions, ShareGPT and Alpaca rows to chats.
    """
    most = max(file.schemas, key=lambda name: file.schemas[name][0], default="")
    for name, (count, line) in file.schemas.items():
        if name != most:
            message = f"{_rows(count)} {name} and {_rows(file.schemas[most][0])} {most}: keep one schema in a file"
            yield Hit(message, line=line)


@rule(
    "FILE016",
    Severity.WARNING,
    scope="file",
    example_target="openai",
    bad=_CHAT + "\n",
    good=_CHAT + "\n",
    example_facts=({"path": "train.jsonl.gz", "compressed": True}, {"path": "train.jsonl"}),
    says="the file is compressed, and openai takes plain files: unpack it before the upload",
)
def wrong_suffix(file: FileFacts) -> Iterator[Hit]:
    """The file is packed, or its name ends otherwise than the target wants.

    Services look at the name first, and refuse the upload whatever is in the file.
    """
    target = target_named(file.target)
    if file.path == "-":
        return
    name = file.path.lower()
    if file.compressed:
        if not target.compressed:
            yield Hit(f"the file is compressed, and {file.target} takes plain files: unpack it before the upload")
    elif target.suffixes and not name.endswith(target.suffixes):
        yield Hit(f"the name does not end in {' or '.join(target.suffixes)}, as {file.target} wants: rename it")


def _billions(count: int) -> str:
    return f"{count / 1e9:.2f} billion"


@rule(
    "FILE018",
    Severity.ERROR,
    scope="file",
    example_target="openai",
    bad=_CHAT + "\n",
    good=_CHAT + "\n",
    example_facts=({"tokens": 1_100_000_000, "epochs": 2}, {"tokens": 900_000_000, "epochs": 2}),
    says="the file has about 1.10 billion tokens, which is 2.20 billion in 2 epochs, and openai trains "
    "2.00 billion in a job: train fewer epochs, or take rows out",
)
def too_many_tokens(file: FileFacts) -> Iterator[Hit]:
    """The file has more tokens, times the epochs, than one training job takes.

    The service refuses the job. Tokens are estimated from 2,000 rows, and only where the size of the file allows
    so many. Epochs are those of `[train]` in the configuration; without them one is counted, the fewest possible.
    """
    most = target_named(file.target).job_tokens
    if most is None or file.tokens is None or file.tokens * file.epochs <= most:
        return
    found = f"about {_billions(file.tokens)} tokens"
    if file.epochs > 1:
        found += f", which is {_billions(file.tokens * file.epochs)} in {file.epochs} epochs"
    advice = "train fewer epochs, or take rows out" if file.epochs > 1 else "take rows out"
    yield Hit(f"the file has {found}, and {file.target} trains {_billions(most)} in a job: {advice}")


_PAIR = (
    '{"input": {"messages": [{"role": "user", "content": "Hi"}]}, '
    '"preferred_output": [{"role": "assistant", "content": "Hello"}], '
    '"non_preferred_output": [{"role": "assistant", "content": "What?"}]}'
)
_KIND_NAMES = {"sft": "chats", "dpo": "preference pairs", "rft": "rows for reinforcement"}


@rule(
    "FILE019",
    Severity.ERROR,
    scope="file",
    example_target="azure-phi",
    bad=_PAIR + "\n",
    good=_CHAT + "\n",
    says="the file holds preference pairs, and azure-phi trains on chats: choose another target, or convert the "
    "rows",
)
def kind_not_trained(file: FileFacts) -> Iterator[Hit]:
    """The file is of a task kind that the target does not train.

    What a file holds is told by its first rows, or by `--kind`.
    """
    kinds = target_named(file.target).kinds
    if file.kind not in kinds and file.schemas:
        known = " and ".join(_KIND_NAMES[kind] for kind in kinds)
        yield Hit(
            f"the file holds {_KIND_NAMES[file.kind]}, and {file.target} trains on {known}: "
            "choose another target, or convert the rows"
        )


RULES = (
    byte_order_mark,
    wide_encoding,
    line_ends,
    one_value,
    too_few_rows,
    too_large,
    mixed_schemas,
    wrong_suffix,
    too_many_tokens,
    kind_not_trained,
)
