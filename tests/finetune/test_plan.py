"""Plans: every row once an epoch, the same for the same seed; rates rise and fall as documented."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.core.configuration import LocalTrain
from tunegate.core.errors import UsageError
from tunegate.finetune.plan import FINAL_SHARE, order_of, plan, rate_at
from tunegate.finetune.settings import Settings, row_limit
from tunegate.finetune.template import Encoded


def rows(count: int) -> list[Encoded]:
    return [Encoded((0, 1, 2 + number), (False, False, True)) for number in range(count)]


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 60), st.integers(1, 20), st.integers(0, 5))
def test_every_row_is_in_one_step(count: int, size: int, seed: int) -> None:
    steps = plan(rows(count), Settings(batch_size=size, seed=seed))
    assert len(steps) == -(-count // size)
    assert [sum(len(one.paths) for one in step) for step in steps[:-1]] == [size] * (len(steps) - 1)
    seen = sorted(int(target) for step in steps for one in step for target in one.targets)
    assert seen == list(range(2, 2 + count))


def targets(seed: int) -> list[list[int]]:
    return [one.targets.tolist() for step in plan(rows(40), Settings(seed=seed)) for one in step]


def test_the_seed_decides_the_batches() -> None:
    assert targets(3) == targets(3)
    assert targets(3) != targets(4)


def test_the_seed_decides_the_order_of_each_epoch() -> None:
    orders = [order_of(epoch, 20, 0) for epoch in range(3)]
    assert all(sorted(order) == list(range(20)) for order in orders)
    assert len({tuple(order) for order in orders}) == 3
    assert orders == [order_of(epoch, 20, 0) for epoch in range(3)]
    assert orders[0] != order_of(0, 20, 1)


def test_the_order_is_the_same_on_every_machine() -> None:
    assert order_of(0, 8, 0) == [5, 0, 3, 6, 4, 7, 2, 1]


@settings(deadline=None)
@given(st.integers(1, 500), st.floats(0, 1))
def test_the_rate_rises_to_the_setting_and_never_falls_to_nothing(total: int, warmup: float) -> None:
    made = Settings(learning_rate=1e-3, warmup=warmup)
    rates = [rate_at(step, total, made) for step in range(total)]
    assert max(rates) <= 1e-3 * (1 + 1e-9)
    assert min(rates) >= min(1e-3 * FINAL_SHARE, 1e-3 / total) * (1 - 1e-9)
    top = rates.index(max(rates))
    assert rates[:top] == sorted(rates[:top])
    assert rates[top:] == sorted(rates[top:], reverse=True)


def test_golden_rates() -> None:
    made = Settings(learning_rate=1.0, warmup=0.2)
    assert [round(rate_at(step, 10, made), 3) for step in range(10)] == [
        0.5, 1.0, 1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125,
    ]  # fmt: skip


def test_settings_come_from_the_configuration() -> None:
    made = Settings.from_configuration(LocalTrain(method="lora", epochs=2, threads=3), max_tokens=99)
    assert (made.method, made.epochs, made.threads, made.max_tokens) == ("lora", 2, 3, 99)
    assert "threads" not in made.as_json()
    assert Settings.from_configuration(LocalTrain()) == Settings()


def test_layers_that_are_left_out_fit_the_model(phi3: Path) -> None:
    assert Settings.from_configuration(LocalTrain(model="tiny-phi3"), folder=phi3).layers == 2
    assert Settings.from_configuration(LocalTrain(layers=1), folder=phi3).layers == 1
    written = Settings.from_configuration(LocalTrain(layers=6), folder=phi3)
    with pytest.raises(UsageError, match=r"^\[train\] layers = 6: .* has 2 layers: write a number from 1 to 2$"):
        written.check(phi3)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"layers": 3}, "layers = 3: the model 'm' has 2 layers"), ({"learning_rate": 5.0}, "learning_rate = 5.0")],
)
def test_settings_that_do_not_fit_are_refused(phi3: Path, wrong: dict[str, float], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Settings(model="m", **{"layers": 2, **wrong}).check(phi3)  # type: ignore[arg-type]
    Settings(model="m", layers=2).check(phi3)
    Settings(model="m", method="lora", layers=99).check(phi3)


def test_a_row_may_be_as_long_as_the_model_takes(phi3: Path) -> None:
    assert row_limit(Settings(max_tokens=100), phi3) == 100
    assert row_limit(Settings(max_tokens=100_000), phi3) == 512
