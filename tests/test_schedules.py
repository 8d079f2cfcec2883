"""Schedules: hand values, arrays of steps, and the steps for which training calls them."""

import math

import numpy as np
import pytest
import reference_training
from hypothesis import given
from hypothesis import strategies as st
from twins import shake, twin_of

import fastmlp as fm
from fastmlp.checks.values import Schedule, values_at

SCHEDULES = {
    "step": fm.StepDecay(0.1, factor=0.5, every=100),
    "exponential": fm.Exponential(0.1, rate=0.5, every=100),
    "cosine": fm.Cosine(0.1, n_steps=100, final=0.02),
    "one_cycle": fm.OneCycle(1.0, n_steps=100, warmup=0.3),
    "constant": fm.Constant(0.25),
    "restarts": fm.CosineRestarts(0.1, n_steps=20, final=0.02),
    "longer restarts": fm.CosineRestarts(0.1, n_steps=10, factor=3),
    "warmup": fm.Warmup(9, then=fm.Cosine(1.0, n_steps=100)),
    "warmup to a number": fm.Warmup(4, then=0.5),
    "warmup to a function": fm.Warmup(4, then=lambda step: 2.0 - step / 100),
    "coslog4": fm.CosLog4(0.04, n_steps=150),
    "inverse": fm.InverseScaling(0.1, power=0.5, every=10),
}


@pytest.mark.parametrize(
    ("name", "step", "value"),
    [
        ("step", 0, 0.1),
        ("step", 99, 0.1),
        ("step", 100, 0.05),
        ("step", 350, 0.0125),
        ("exponential", 0, 0.1),
        ("exponential", 50, 0.1 * math.sqrt(0.5)),
        ("exponential", 300, 0.0125),
        ("cosine", 0, 0.1),
        ("cosine", 50, 0.06),
        ("cosine", 75, 0.02 + 0.04 * (1 - math.sqrt(0.5))),
        ("cosine", 100, 0.02),
        ("cosine", 5000, 0.02),
        ("one_cycle", 0, 0.04),
        ("one_cycle", 15, 0.52),
        ("one_cycle", 30, 1.0),
        ("one_cycle", 65, 0.5),
        ("one_cycle", 100, 0.0),
        ("one_cycle", 200, 0.0),
        ("constant", 0, 0.25),
        ("constant", 10**9, 0.25),
        ("restarts", 0, 0.1),
        ("restarts", 10, 0.06),
        ("restarts", 20, 0.1),
        ("restarts", 55, 0.02 + 0.04 * (1 - math.sqrt(0.5))),
        ("longer restarts", 5, 0.05),
        ("longer restarts", 10, 0.1),  # cycles start at 0, 10, 40, 130
        ("longer restarts", 25, 0.05),
        ("longer restarts", 40, 0.1),
        ("longer restarts", 85, 0.05),
        ("longer restarts", 130, 0.1),
        ("warmup", 0, 0.1),
        ("warmup", 8, 0.9),
        ("warmup", 9, 1.0),
        ("warmup", 59, 0.5),
        ("warmup", 109, 0.0),
        ("warmup to a number", 1, 0.2),
        ("warmup to a number", 4, 0.5),
        ("warmup to a number", 400, 0.5),
        ("warmup to a function", 0, 0.4),
        ("warmup to a function", 14, 1.9),
        ("coslog4", 0, 0.0),
        ("coslog4", 10, 0.0),  # waves end where 1 + 15 * step / 150 is a power of two
        ("coslog4", 30, 0.0),
        ("coslog4", 70, 0.0),
        ("coslog4", 150, 0.0),
        ("coslog4", 10 * (math.sqrt(2) - 1), 0.04),  # halfway between two ends on a log scale
        ("coslog4", 10 * (math.sqrt(128) - 1), 0.04),
        ("coslog4", 10 * (2**3.25 - 1), 0.02),
        ("coslog4", 10_000, 0.0),
        ("inverse", 0, 0.1),
        ("inverse", 30, 0.05),
        ("inverse", 990, 0.01),
    ],
)
def test_hand_values(name, step, value):
    assert float(SCHEDULES[name](step)) == pytest.approx(value, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("name", SCHEDULES)
def test_arrays_of_steps_and_values_at(name):
    schedule, steps = SCHEDULES[name], np.arange(0, 130, 7)
    one_by_one = [float(schedule(int(step))) for step in steps]
    np.testing.assert_allclose(schedule(steps), one_by_one, rtol=1e-15)
    np.testing.assert_array_equal(values_at(schedule, steps), schedule(steps))
    np.testing.assert_array_equal(schedule(steps[5:8]), schedule(steps)[5:8])  # the same bits for any chunk
    np.testing.assert_array_equal(values_at(lambda step: float(schedule(step)), steps), one_by_one)


def test_a_number_stays_a_number():
    assert values_at(0.25, np.arange(3)) == 0.25


def test_a_schedule_must_be_called():
    with pytest.raises(TypeError, match="must define __call__"):
        Schedule()(0)


@pytest.mark.parametrize(
    ("make", "error", "argument"),
    [
        (lambda: fm.StepDecay(0.0), ValueError, "initial"),
        (lambda: fm.StepDecay(0.1, every=0), ValueError, "every"),
        (lambda: fm.Exponential(0.1, rate=-1), ValueError, "rate"),
        (lambda: fm.Cosine(0.1, n_steps=0), ValueError, "n_steps"),
        (lambda: fm.Cosine(0.1, n_steps="long"), TypeError, "n_steps"),
        (lambda: fm.Cosine(0.1, n_steps=10, final=-1.0), ValueError, "final"),
        (lambda: fm.Cosine(0.1, n_steps=10, final=math.nan), ValueError, "final"),
        (lambda: fm.OneCycle(math.inf, n_steps=10), ValueError, "peak"),
        (lambda: fm.OneCycle(0.1, n_steps=10, warmup=1.0), ValueError, "warmup"),
        (lambda: fm.Constant(-1.0), ValueError, "value"),
        (lambda: fm.Constant(lambda step: 1.0), TypeError, "value must be a number, got function"),
        (lambda: fm.CosineRestarts(0.1, n_steps=0), ValueError, "n_steps"),
        (lambda: fm.CosineRestarts(0.1, n_steps=5, factor=0.5), ValueError, "factor"),
        (lambda: fm.CosineRestarts(0.1, n_steps=5, final="low"), TypeError, "final"),
        (lambda: fm.Warmup(0, then=1.0), ValueError, "steps must be between 1"),
        (lambda: fm.Warmup(1.5, then=1.0), TypeError, "steps must be a whole number"),
        (lambda: fm.Warmup(5, then="cosine"), TypeError, "then must be a number or a function of the step, got str"),
        (lambda: fm.Warmup(5, then=-1.0), ValueError, "then"),
        (lambda: fm.CosLog4(0.0, n_steps=5), ValueError, "peak"),
        (lambda: fm.CosLog4(0.1, n_steps=-5), ValueError, "n_steps"),
        (lambda: fm.InverseScaling(0.1, power=0), ValueError, "power"),
        (lambda: fm.InverseScaling(0.1, every=0), ValueError, "every"),
    ],
)
def test_bad_settings(make, error, argument):
    with pytest.raises(error, match=argument):
        make()


NUMBER = st.floats(1e-6, 1e3)
MADE = st.one_of(
    st.builds(fm.Constant, NUMBER),
    st.builds(fm.CosineRestarts, NUMBER, st.integers(1, 500), st.floats(1.0, 5.0), st.just(0.0)),
    st.builds(fm.CosLog4, NUMBER, st.integers(1, 500)),
    st.builds(fm.InverseScaling, NUMBER, st.floats(0.01, 3.0), st.integers(1, 500)),
)


@given(schedule=MADE | st.builds(fm.Warmup, st.integers(1, 300), MADE | NUMBER), start=st.integers(0, 10**7))
def test_values_lie_between_0_and_the_top_and_are_the_same_one_by_one(schedule, start):
    steps = np.arange(start, start + 50)
    inner = schedule.then if isinstance(schedule, fm.Warmup) else schedule
    top = inner if isinstance(inner, float) else next(iter(vars(inner).values()))
    values = values_at(schedule, steps)
    assert values.shape == (50,)
    assert (values >= 0).all() and (values <= top * (1 + 1e-12)).all()
    np.testing.assert_allclose(values, [float(schedule(int(step))) for step in steps], rtol=1e-12, atol=1e-15)


@given(n_steps=st.integers(1, 1000), factor=st.integers(1, 6), cycles=st.integers(0, 8))
def test_every_cycle_begins_at_the_top_and_falls_to_its_end(n_steps, factor, cycles):
    schedule = fm.CosineRestarts(1.0, n_steps, factor)
    start = sum(n_steps * factor**cycle for cycle in range(cycles))
    length = n_steps * factor**cycles
    inside = start + np.unique(np.linspace(0, length - 1, 30).astype(int))
    np.testing.assert_allclose(schedule(inside), (1 + np.cos(np.pi * (inside - start) / length)) / 2, atol=1e-9)


# --- In training ---


def test_every_step_is_asked_for_once_in_order_across_chunks_and_epochs():
    """5000 steps in an epoch are more than one chunk of training."""
    asked = []

    def momentum(step):
        assert type(step) is int
        asked.append(step)
        return 0.0

    net = fm.Network([1, 1], seed=0)
    net.fit(np.ones((5000, 1)), np.ones(5000), epochs=2, batch_size=1, optimizer=fm.SGD(0.01, momentum=momentum))
    assert asked == list(range(10_000))


def test_each_step_uses_its_own_value():
    """With a gradient of 1, each step lowers w by its learning rate; the smaller last batch is a step too."""
    seen = []
    net = fm.Network([1, 1], bias=False, loss="absolute_error", dtype="float64", seed=0)
    net.params[:] = 100.0
    history = net.fit(
        np.ones((5, 1)), np.zeros(5), epochs=3, batch_size=2, optimizer=fm.SGD(lambda step: 10.0**-step),
        shuffle=False, callbacks=[lambda run: seen.append(run.network.params[0])],
    )  # fmt: skip
    np.testing.assert_allclose(seen, [100 - 1.11, 100 - 1.11111, 100 - 1.11111111], rtol=0, atol=1e-12)
    np.testing.assert_allclose(history["learning_rate"], [1.0, 1e-3, 1e-6])


@pytest.mark.parametrize("rate", ["step", "cosine", "restarts", "longer restarts", "coslog4", "inverse"])
def test_training_by_schedules_is_that_of_the_twin(rate):
    """Learning rate and decay change at every step; the twin evaluates them one step at a time."""
    rng = np.random.default_rng(0)
    X, T = 0.2 * rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    net = shake(fm.Network([3, 4, 2], activation="tanh", dtype="float64", seed=0), rng)
    twin = twin_of(net)
    rate, decay = SCHEDULES[rate], fm.Warmup(3, then=fm.CosineRestarts(0.1, n_steps=4, factor=2))
    history = net.fit(X, T, epochs=6, batch_size=6, shuffle=False, optimizer=fm.SGD(rate, weight_decay=decay))
    hyper = {"lr": lambda step: float(rate(step)), "weight_decay": lambda step: float(decay(step))}
    losses = reference_training.train(twin, X, T, [np.arange(20)] * 6, 6, "sgd", **hyper)
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-12)
    np.testing.assert_allclose(net.params, twin.flat(), rtol=0, atol=1e-12)


def test_a_schedule_starts_anew_in_every_fit():
    values = []
    for _ in range(2):
        net = fm.Network([1, 1], bias=False, loss="absolute_error", dtype="float64", seed=0)
        net.params[:] = 100.0
        net.fit(np.ones((3, 1)), np.zeros(3), epochs=1, batch_size=1, optimizer=fm.SGD(fm.StepDecay(1.0, every=1)))
        values.append(net.params[0])
        net.fit(np.ones((3, 1)), np.zeros(3), epochs=1, batch_size=1, optimizer=fm.SGD(fm.StepDecay(1.0, every=1)))
        values.append(net.params[0])
    np.testing.assert_allclose(values, [98.25, 96.5] * 2)


@pytest.mark.parametrize("factor", [3, 2**64])
def test_a_factor_that_is_a_whole_number_does_not_run_over(factor):
    steps = np.array([0, 1, 15])
    np.testing.assert_array_equal(fm.StepDecay(1.0, factor, every=1)(steps), float(factor) ** steps)
    assert fm.StepDecay(1e-30, 3, every=1)(np.array([50]))[0] == 1e-30 * 3.0**50


@pytest.mark.parametrize("kind", [fm.StepDecay, fm.Exponential, fm.InverseScaling])
def test_numbers_beyond_the_machines_whole_numbers_are_numbers(kind):
    made = kind(2**64, every=2**70)
    np.testing.assert_allclose(made(np.arange(3)), float(2**64))
    assert made(7) == pytest.approx(2**64)


@pytest.mark.parametrize("factor", [1e30, 1e100, 1e300])
def test_a_cycle_that_never_ends_stays_at_its_start(factor):
    """A second cycle 1e300 times as long as the first: no step of any fit is far into it."""
    steps = np.array([0, 5, 10, 11, 10**9, 2**62])
    values = values_at(fm.CosineRestarts(0.1, n_steps=10, factor=factor), steps)
    np.testing.assert_allclose(values, [0.1, 0.05, 0.1, 0.1, 0.1, 0.1], rtol=1e-15)


BEYOND = {
    "step": (fm.StepDecay(0.1, factor=10.0, every=1), 309),
    "exponential": (fm.Exponential(0.1, rate=1e300, every=1), 2),
    "cosine": (fm.Cosine(1.7e308, n_steps=10), 0),
    "one_cycle": (fm.OneCycle(1.7e308, n_steps=10), 3),
    "restarts": (fm.CosineRestarts(1.7e308, n_steps=10), 0),
    "short restarts": (fm.CosineRestarts(0.1, n_steps=1e-309), 1),
    "warmup": (fm.Warmup(2, then=fm.Exponential(1.0, rate=1e300, every=1)), 4),
    "coslog4": (fm.CosLog4(1.7e308, n_steps=15), 1),
}


@pytest.mark.parametrize("name", BEYOND)
def test_a_schedule_that_leaves_the_range_is_refused_at_its_step(name):
    """Before anything is trained, and not as a learning rate of NaN."""
    schedule, step = BEYOND[name]
    net = fm.Network([1, 1], seed=0)
    before = net.params.copy()
    with pytest.raises(ValueError, match="(learning_rate|then) at step [0-9]+ must be a finite number, got (inf|nan)"):
        net.fit(np.zeros((1, 1)), np.zeros(1), epochs=400, optimizer=fm.SGD(schedule))
    np.testing.assert_array_equal(net.params, before)
    if step:
        assert np.isfinite(values_at(schedule, np.arange(step))).all()
    with pytest.raises(ValueError, match="at step"):
        values_at(schedule, np.arange(step + 2))
