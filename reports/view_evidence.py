"""The evidence: policy, digests, environment, and the commands that make the run again."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from tunegate.core.files import sha256_bytes
from tunegate.core.visible import visible
from tunegate.reports.figures import Figure, Node, say
from tunegate.reports.names import in_words

# Stages in the order of the work; a stage of another name stands after them.
STAGES = ("check", "prepare", "screen", "train", "evaluate", "gate", "report")


@dataclass(frozen=True, slots=True)
class Evidence:
    """The last screen."""

    schema: Figure
    policy: tuple[Markup, ...]
    digests: tuple[tuple[str, Markup, Figure], ...]
    environment: tuple[tuple[str, Figure], ...]
    decoding: tuple[tuple[str, Figure], ...]
    stages: tuple[tuple[str, Figure, Figure], ...]
    commands: tuple[Markup, ...]
    result_sha256: str
    result_size: Figure
    result_base64: str


def evidence_view(result: Node, timing: Node) -> Evidence:
    """Make the screen of the evidence; the result is embedded byte for byte as it lies in the run folder."""
    content = result_bytes(result.value)
    return Evidence(
        schema=result["schema"].show("text"),
        policy=_policy(result["policy"]),
        digests=_digests(result),
        environment=_table(result["environment"]),
        decoding=_table(result["decode"]),
        stages=tuple(
            (visible(name), stage["seconds"].show("seconds"), stage["finished"].show("text"))
            for name, stage in sorted(timing["stages"].items(), key=_turn)
        ),
        commands=_commands(result),
        result_sha256=sha256_bytes(content),
        result_size=Figure(len(content), "result.json", "bytes"),
        result_base64=base64.b64encode(content).decode(),
    )


def _turn(stage: tuple[str, Node]) -> tuple[int, str]:
    name = stage[0]
    return (STAGES.index(name) if name in STAGES else len(STAGES), name)


def result_bytes(result: Mapping[str, Any]) -> bytes:
    """Return the bytes of result.json as `core.files.write_json` writes them."""
    return json.dumps(result, ensure_ascii=False, indent=1, sort_keys=True).encode("utf-8", "replace") + b"\n"


def _policy(policy: Node) -> tuple[Markup, ...]:
    """Return the rules as lines of the configuration."""
    lines = []
    for name, rule in policy["rules"].items():
        if isinstance(rule.value, dict):
            parts = [say("{} = {}", key, value.show("text")) for key, value in rule.items()]
            lines.append(say("{} = {{ {} }}", visible(name), Markup(", ").join(parts)))
        else:
            lines.append(say("{} = {}", visible(name), rule.show("text")))
    return tuple(lines)


def _digests(result: Node) -> tuple[tuple[str, Markup, Figure], ...]:
    """Return name, rows and digest of everything that has one."""
    rows = [
        (file["path"].show("text").text, say("{} rows", file["rows"].show("count")), file["sha256"])
        for file in result["data"]
    ]
    subject = result["subject"]
    named = {
        "adapter_sha256": "tuned weights",
        "tokenizer_sha256": "tokenizer",
        "chat_template_sha256": "chat template",
    }
    rows += [(title, Markup(""), subject[name]) for name, title in named.items()]
    rows.append(("base model", Markup(""), result.at("training", "model", "sha256")))
    rows.append(("policy", Markup(""), result.at("policy", "sha256")))
    samples = result["samples"]
    if samples:
        path = samples["path"].show("text").text
        rows.append((path, say("{} rows", samples["rows"].show("count")), samples["sha256"]))
    return tuple((name, note, node.show("code")) for name, note, node in rows)


def _table(node: Node) -> tuple[tuple[str, Figure], ...]:
    return tuple(
        (in_words(visible(name)), child.show("digest" if name.endswith("sha256") and child else "setting"))
        for name, child in node.items()
    )


def _commands(result: Node) -> tuple[Markup, ...]:
    """Return the command lines that install this version, make the run again, and check the files."""
    name = result.at("subject", "name")
    folder = say("runs/{}", name.show("text")) if name else Markup("RUN")
    path = result.at("policy", "path")
    commands = [
        say("pip install 'tunegate[data,eval,train]=={}'", result.at("tool", "version").show("text")),
        say("tunegate run {}", path.show("text")) if path else Markup("tunegate run"),
        say("tunegate gate {}", folder),
    ]
    return tuple(commands)
