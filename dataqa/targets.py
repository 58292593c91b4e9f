"""What each target takes: one dated table for each, with its limits and its dialect.

A limit is the target's own, from its documents at the date given; None where it states none. They change: the date
says how old a number is. `docs/targets.md` shows the tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tunegate.core.errors import UsageError, nearest

MEGABYTE = 1024 * 1024

_PLAIN_ROLES = frozenset({"system", "user", "assistant", "tool"})
_OPENAI_ROLES = _PLAIN_ROLES | {"developer", "function"}

# `functions` and `function_call` are old names that rules about tools speak of.
ROW_KEYS = frozenset({"messages", "tools", "parallel_tool_calls", "functions", "function_call"})
MESSAGE_KEYS = frozenset(
    {
        *("role", "content", "name", "weight"),
        *("tool_calls", "tool_call_id", "function_call"),
        *("refusal", "audio"),
    }
)

_OPENAI_PARTS = frozenset({"text", "refusal", "image_url", "input_audio", "file"})
# Chat templates and processors of Hugging Face's models read these.
_HF_PARTS = _OPENAI_PARTS | {
    *("image", "video", "video_url", "audio", "audio_url"),
    *("document", "thinking", "reasoning"),
}
ALL_PARTS = _HF_PARTS | {"document_url", "reference"}
"""Every type of a content part that a target, or the chat interface of its provider, knows."""


@dataclass(frozen=True, slots=True)
class Images:
    """What a target takes of images; of a limit that is None its documents say nothing.

    `per_row` is the most of one row, `doubted_per_row` a lower number that another of its documents names; `rows`
    the most rows with images in a file. `urls` says whether an address will do in place of the image itself,
    `bare` whether the address may stand without an object around it. Without `formats` any will do.
    """

    formats: tuple[str, ...] = ("JPEG", "PNG", "WEBP")
    modes: tuple[str, ...] = ()
    max_bytes: int | None = None
    per_row: int | None = None
    doubted_per_row: int | None = None
    rows: int | None = None
    urls: bool = True
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """One target: where the data goes, what its files and rows may be.

    `kinds` are the task kinds that it trains. `min_rows` and `advised_rows` are of a training file; `portal_bytes`
    is the lower limit of the upload page where there is one; `bom` says whether the target asks for a byte-order
    mark, takes it, or fails on it; `suffixes` are the names that it takes (any without one), `compressed` whether
    packed files too. `row_tokens` is the longest row that it trains, `job_tokens` the most that one job may train,
    tokens times epochs.

    `other_rows` are schemas that it takes beside its own; `row_keys` and `message_keys` the keys that it knows,
    None where further columns do no harm; `single_outputs` says that an output of a preference pair is one
    message; `parts` are the types of content parts, None where its documents name none; `images` is None where
    they say nothing of images. `weights` says whether it reads the weight of a message, `empty_tools` whether its
    documents show an empty list of tools, `types_needed` whether calls and tools say that they are functions,
    `nine_sign_ids` whether the id of a call has 9 letters and digits, `users_in_a_row` whether two user messages
    may follow each other. `templates` says that chat templates read the rows: they go by the order of calls and
    results and not by ids, take arguments as objects, and null where a table has nothing.
    """

    name: str
    title: str
    as_of: str
    source: str
    kinds: tuple[Literal["sft", "dpo", "rft"], ...]
    min_rows: int | None = None
    advised_rows: int = 50
    max_bytes: int | None = None
    portal_bytes: int | None = None
    bom: Literal["asked", "taken", "refused"] = "refused"
    suffixes: tuple[str, ...] = (".jsonl",)
    compressed: bool = False
    row_tokens: int | None = None
    job_tokens: int | None = None
    other_rows: tuple[str, ...] = ()
    row_keys: frozenset[str] | None = ROW_KEYS
    message_keys: frozenset[str] = MESSAGE_KEYS
    roles: frozenset[str] = _PLAIN_ROLES
    users_in_a_row: bool = False
    single_outputs: bool = False
    weights: bool = True
    max_messages: int | None = None
    max_tools: int = 128
    empty_tools: bool = False
    types_needed: bool = True
    nine_sign_ids: bool = False
    parts: frozenset[str] | None = None
    images: Images | None = None
    templates: bool = False


# Azure's page on vision fine-tuning names 64 images a row in its table of requirements and 10 in its table of what
# goes wrong; OpenAI's guide on vision fine-tuning says 10.
_OPENAI_IMAGES = Images(
    modes=("RGB", "RGBA"), max_bytes=10 * MEGABYTE, per_row=64, doubted_per_row=10, rows=50_000
)

_TABLE = (
    Target(
        name="hf",
        title="Hugging Face trainers on this or another machine",
        as_of="2026-02",
        source="transformers, datasets and TRL: their documentation; datasets fails on a byte-order mark",
        kinds=("sft", "dpo", "rft"),
        suffixes=(),
        compressed=True,
        row_tokens=8192,  # the context of the default model, SmolLM2
        other_rows=("prompt-completion", "text"),  # TRL: dataset formats and types
        row_keys=None,
        message_keys=MESSAGE_KEYS | {"reasoning_content", "reasoning", "thinking", "tool_plan"},
        roles=_OPENAI_ROLES,
        weights=False,
        parts=_HF_PARTS,
        images=Images(formats=(), bare=True),
        templates=True,
    ),
    Target(
        name="azure-openai",
        title="Azure OpenAI fine-tuning",
        as_of="2025-09",
        source="Azure OpenAI: fine-tuning how-to and models, functions, vision, preference optimization, quotas",
        kinds=("sft", "dpo", "rft"),
        min_rows=10,
        max_bytes=512 * MEGABYTE,
        portal_bytes=200 * MEGABYTE,
        bom="asked",
        row_tokens=65_536,
        job_tokens=2_000_000_000,
        roles=_OPENAI_ROLES,
        users_in_a_row=True,
        max_messages=2048,
        empty_tools=True,
        parts=_OPENAI_PARTS,
        images=_OPENAI_IMAGES,
    ),
    Target(
        name="azure-phi",
        title="Phi models in Azure AI Foundry",
        as_of="2026-02",
        source="Azure AI Foundry: fine-tune models with serverless API",
        kinds=("sft",),
        min_rows=10,
        max_bytes=512 * MEGABYTE,
        portal_bytes=200 * MEGABYTE,
        bom="taken",
        users_in_a_row=True,
        max_messages=2048,
    ),
    Target(
        name="openai",
        title="OpenAI fine-tuning",
        as_of="2025-07",
        source="OpenAI: fine-tuning guides (supervised, vision, preference), OpenAPI description of the API",
        kinds=("sft", "dpo", "rft"),
        min_rows=10,
        max_bytes=512 * MEGABYTE,
        row_tokens=65_536,
        job_tokens=2_000_000_000,
        roles=_OPENAI_ROLES,
        users_in_a_row=True,
        max_messages=2048,
        parts=_OPENAI_PARTS,
        images=_OPENAI_IMAGES,
    ),
    Target(
        name="together",
        title="Together AI fine-tuning",
        as_of="2026-02",
        source="Together AI: data preparation, preference and vision-language fine-tuning",
        kinds=("sft", "dpo"),
        min_rows=1,
        max_bytes=100 * 1024 * MEGABYTE,
        other_rows=("prompt-completion", "text"),
        row_keys=ROW_KEYS - {"parallel_tool_calls"},
        single_outputs=True,
        parts=frozenset({"text", "image_url"}),
        images=Images(max_bytes=10 * MEGABYTE, per_row=10, urls=False),
    ),
    Target(
        name="mistral",
        title="Mistral fine-tuning",
        as_of="2026-02",
        source="Mistral: known limitations; mistral-finetune's data check",
        kinds=("sft",),
        min_rows=1,
        max_bytes=512 * MEGABYTE,
        row_keys=ROW_KEYS | {"available_tools", "system_prompt", "only_last"},
        message_keys=MESSAGE_KEYS | {"prefix"},
        types_needed=False,
        nine_sign_ids=True,
        images=Images(bare=True),
    ),
)

TARGETS = {target.name: target for target in _TABLE}


def target_named(name: str) -> Target:
    """Return a target by its name. Raises UsageError with the nearest name when there is none."""
    if name not in TARGETS:
        raise UsageError(f"no target {name!r}: {nearest(name, list(TARGETS))}")
    return TARGETS[name]
