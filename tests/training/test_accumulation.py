"""`accumulate`: batches that make one step together make the step of their union."""

import numpy as np
import pytest
import reference_training
from hypothesis import given, settings
from hypothesis import strategies as st
from step_cases import RULES, WEIGHT, X, Y, network
from twins import relative_error, twin_of

import fastmlp as fm


@settings(max_examples=40)
@given(
    batch_size=st.integers(1, 60),
    accumulate=st.integers(1, 60),
    rule=st.sampled_from(sorted(RULES)),
    n_threads=st.integers(1, 3),
    dtype=st.sampled_from(["float32", "float64"]),
    dropout=st.booleans(),
    shuffle=st.booleans(),
)
def test_a_step_has_the_bits_of_the_step_of_the_union(batch_size, accumulate, rule, n_threads, dtype, dropout, shuffle):
    parts = [fm.Dropout(0.3)] if dropout else []
    together, union = network(*parts, dtype=dtype), network(*parts, dtype=dtype)
    given = {"epochs": 2, "optimizer": RULES[rule][0], "sample_weight": WEIGHT, "n_threads": n_threads}
    given |= {"alpha": 0.3, "shuffle": shuffle}
    one = together.fit(X, Y, batch_size=batch_size, accumulate=accumulate, **given)
    other = union.fit(X, Y, batch_size=batch_size * accumulate, **given)
    np.testing.assert_array_equal(together.params, union.params)
    np.testing.assert_array_equal(one["loss"], other["loss"])


@pytest.mark.parametrize("n_threads", [1, 2, 3])
@pytest.mark.parametrize("name", RULES)
def test_batch_norms_see_each_batch_by_itself(name, n_threads):
    # 50 rows in batches of 8, four to a step: the last step has batches of 8, 8 and 2.
    net = network(fm.BatchNorm(epsilon=0.1), fm.Dense(6, "elu"), fm.BatchNorm(epsilon=0.1))
    twin = twin_of(net)
    optimizer, hyper = RULES[name]
    history = net.fit(
        X, Y, epochs=2, batch_size=8, accumulate=4, optimizer=optimizer, shuffle=False, sample_weight=WEIGHT,
        n_threads=n_threads, alpha=0.7,
    )  # fmt: skip
    orders = [np.arange(50)] * 2
    losses = reference_training.train(twin, X, Y, orders, 8, sample_weight=WEIGHT, alpha=0.7, accumulate=4, **hyper)
    assert relative_error(net.params, twin.flat()) < 1e-9
    assert relative_error(history["loss"], losses) < 1e-10
    means_and_variances = [array for name, array in net.named_arrays().items() if "running" in name]
    assert relative_error(np.concatenate(means_and_variances), reference_training.running(twin)) < 1e-10


@settings(max_examples=40)
@given(
    batch_size=st.integers(2, 60), accumulate=st.integers(1, 30), n_threads=st.integers(1, 3), counts_rows=st.booleans()
)
def test_any_batches_of_a_batch_norm(batch_size, accumulate, n_threads, counts_rows):
    from fastmlp.training.fit import fit
    from fastmlp.training.settings import FitSettings

    net = network(fm.BatchNorm(epsilon=0.1))
    twin = twin_of(net)
    shared = {"batch_size": batch_size, "accumulate": accumulate}
    settings = FitSettings(
        optimizer=fm.SGD(0.01), epochs=1, shuffle=False, n_threads=n_threads, loss_counts_rows=counts_rows, **shared
    )
    history = fit(net, X, Y, None, WEIGHT, None, settings)
    losses = reference_training.train(
        twin, X, Y, [np.arange(50)], sample_weight=WEIGHT, lr=0.01, counts_rows=counts_rows, **shared
    )
    assert relative_error(net.params, twin.flat()) < 1e-8
    assert relative_error(history["loss"], losses) < 1e-9


def test_batches_of_a_batch_norm_have_dropout_masks_of_their_own():
    # Twice the same batch, once with the same mask twice: then the step would be that of one of them.
    twice, labels = np.concatenate([X[:10]] * 2), np.concatenate([Y[:10]] * 2)
    nets = [network(fm.Dropout(0.5), fm.BatchNorm(epsilon=0.1)) for _ in range(2)]
    nets[0].fit(twice, labels, epochs=1, batch_size=10, accumulate=2, optimizer=fm.SGD(0.1), shuffle=False)
    nets[1].fit(X[:10], Y[:10], epochs=1, batch_size=10, optimizer=fm.SGD(0.1), shuffle=False)
    assert relative_error(nets[0].params, nets[1].params) > 1e-4


def test_batches_of_a_batch_norm_are_shuffled_where_one_step_takes_all():
    nets = [network(fm.BatchNorm()) for _ in range(2)]
    for net, shuffle in zip(nets, (True, False), strict=True):
        net.fit(X, Y, epochs=1, batch_size=10, accumulate=5, optimizer=fm.SGD(0.1), shuffle=shuffle)
    assert not np.allclose(nets[0].params, nets[1].params)


def test_schedules_count_steps():
    asked = []

    def rate(step):
        asked.append(step)
        return 0.01

    net = network()
    net.fit(X, Y, epochs=3, batch_size=4, accumulate=5, optimizer=fm.Adam(rate), warm_start=True)
    assert asked == list(range(9))
    assert net.optimizer_state.n_steps == 9


def test_memory_is_that_of_a_batch():
    from fastmlp.data.samples import check_training_data
    from fastmlp.training.settings import FitSettings
    from fastmlp.training.trainer import Trainer

    rng = np.random.default_rng(0)
    wide, y = rng.normal(size=(4000, 7)), rng.normal(size=(4000, 2))
    for parts in ([], [fm.BatchNorm()]):
        net = network(*parts)
        data = check_training_data(net, wide, y, None)
        sizes = [
            Trainer(
                net, data, FitSettings(optimizer=fm.Adam(), batch_size=100, accumulate=k, n_threads=1), False
            ).workspace.work.nbytes
            for k in (1, 40)
        ]
        assert sizes[1] <= 6 * sizes[0] if not parts else sizes[1] == sizes[0]
