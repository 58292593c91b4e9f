"""The tables of the targets: dated, whole, and known to the configuration by the same names."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from tunegate.core.configuration import Data
from tunegate.core.configuration import Target as Named
from tunegate.core.errors import UsageError
from tunegate.dataqa.row import Kind
from tunegate.dataqa.settings import DEFAULTS
from tunegate.dataqa.targets import ALL_PARTS, MEGABYTE, TARGETS, Target, target_named

each = pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: target.name)


@each
def test_a_table_says_where_it_is_from_and_when(target: Target) -> None:
    assert re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", target.as_of)
    assert len(target.source) > 20
    assert target.title


@each
def test_a_table_is_sound_in_itself(target: Target) -> None:
    assert "sft" in target.kinds
    assert set(target.kinds) <= set(get_args(Kind))
    assert (target.portal_bytes or 0) <= (target.max_bytes or 0)
    assert target.roles >= {"system", "user", "assistant", "tool"}
    assert target.parts is None or "text" in target.parts <= ALL_PARTS
    if target.images is not None:
        assert target.parts is None or "image_url" in target.parts
        assert (target.images.doubted_per_row or 0) <= (target.images.per_row or 0)


def test_names_are_those_of_the_configuration() -> None:
    assert set(TARGETS) == set(get_args(Named))
    assert {field: getattr(DEFAULTS, field) for field in ("target", "kind")} == {
        field: getattr(Data(), field) for field in ("target", "kind")
    }
    with pytest.raises(UsageError, match=r"did you mean 'openai'\?"):
        target_named("opnai")


def test_what_azure_openai_takes() -> None:
    azure = TARGETS["azure-openai"]
    assert azure.images is not None
    assert (azure.min_rows, azure.max_bytes, azure.portal_bytes) == (10, 512 * MEGABYTE, 200 * MEGABYTE)
    assert (azure.max_messages, azure.max_tools, azure.job_tokens) == (2048, 128, 2_000_000_000)
    assert (azure.images.per_row, azure.images.doubted_per_row, azure.images.rows) == (64, 10, 50_000)
    assert azure.bom == "asked"
    assert "developer" in azure.roles
