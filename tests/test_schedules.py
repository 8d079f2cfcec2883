"""Schedules: hand values, arrays of steps, and which step numbers training asks for."""

import math

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.values import Schedule, values_at

SCHEDULES = {
    "step": fm.StepDecay(0.1, factor=0.5, every=100),
    "exponential": fm.Exponential(0.1, rate=0.5, every=100),
    "cosine": fm.Cosine(0.1, n_steps=100, final=0.02),
    "one_cycle": fm.OneCycle(1.0, n_steps=100, warmup=0.3),
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
    np.testing.assert_array_equal(schedule(steps[5:8]), schedule(steps)[5:8])  # the same bits in any chunk
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
    ],
)
def test_bad_settings(make, error, argument):
    with pytest.raises(error, match=argument):
        make()


# --- In training ---


def test_every_step_is_asked_for_once_in_order_across_chunks_and_epochs():
    """5000 steps in an epoch are more than one chunk of training takes."""
    asked = []

    def momentum(step):
        assert type(step) is int
        asked.append(step)
        return 0.0

    net = fm.Network([1, 1], seed=0)
    net.fit(np.ones((5000, 1)), np.ones(5000), epochs=2, batch_size=1, optimizer=fm.SGD(0.01, momentum=momentum))
    assert asked == list(range(10_000))


def test_each_step_uses_its_own_value():
    """With a gradient of 1, w falls by the learning rate of each step; the ragged last batch is a step too."""
    seen = []
    net = fm.Network([1, 1], bias=False, loss="absolute_error", dtype="float64", seed=0)
    net.params[:] = 100.0
    history = net.fit(
        np.ones((5, 1)), np.zeros(5), epochs=3, batch_size=2, optimizer=fm.SGD(lambda step: 10.0**-step),
        shuffle=False, callbacks=[lambda run: seen.append(run.network.params[0])],
    )  # fmt: skip
    np.testing.assert_allclose(seen, [100 - 1.11, 100 - 1.11111, 100 - 1.11111111], rtol=0, atol=1e-12)
    np.testing.assert_allclose(history["learning_rate"], [1.0, 1e-3, 1e-6])


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
