"""persistence.models: what is saved comes back to the bit, and a bad file is one clear error and little memory."""

import json
import os
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

import fastmlp as fm
from fastmlp.model.initializers import FanScaled
from fastmlp.network import load, load_with_extra
from fastmlp.persistence import models as persistence
from fastmlp.persistence.models import save

RNG = np.random.default_rng(7)
X = RNG.normal(3.0, 2.0, (40, 5))
LABELS = RNG.integers(0, 3, 40)

NETWORKS = {
    "plain": ([5, 8, 3], {"loss": "cross_entropy"}),
    "no bias": ([5, 8, 1], {"loss": "huber", "bias": False, "activation": "tanh"}),
    "one scale": ([fm.Input(5, scale=1 / 3), 8, 3], {"loss": fm.Loss("cross_entropy", label_smoothing=0.1)}),
    "standardized": ([fm.Input.standardized(X), 8, 1], {"loss": fm.Loss("quantile", q=0.9)}),
    "batch norm": (
        [5, fm.Dense(8, bias=False), fm.BatchNorm(0.8, 1e-3), fm.Activation("leaky_relu", 0.2), fm.Dropout(0.3), 3],
        {"loss": "cross_entropy"},
    ),
    "layer norm": ([5, fm.Dense(8, "elu", slope=0.5), fm.LayerNorm(1e-4), 3], {"loss": "squared_error"}),
    "initialisers": (
        [5, fm.Dense(4, "gelu", init=fm.Uniform(-0.1, 0.2)), fm.Dense(1, init="zeros")],
        {"loss": "poisson", "init": fm.Normal(0.3), "output": "softplus"},
    ),
    "numpy numbers": ([5, fm.Dropout(np.float32(0.1)), np.int64(3)], {"loss": "mse", "output": "sigmoid"}),
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def trained(name="batch norm", dtype="float32"):
    """A network of each kind whose every array has moved."""
    layers, options = NETWORKS[name]
    network = fm.Network(layers, dtype=dtype, seed=3, **options)
    network.fit(X, targets_of(network), epochs=2, batch_size=8, optimizer=fm.Adam(0.01))
    return network


def targets_of(network):
    return LABELS if network.n_outputs == 3 else np.abs(X[:, :1])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NETWORKS)
def test_everything_comes_back_to_the_bit(name, dtype, path):
    network = trained(name, dtype)
    network.save(path)
    twin = fm.load(path)
    assert (twin.layers, twin.loss, twin.output, twin.dtype) == (
        network.layers, network.loss, network.output, network.dtype,
    )  # fmt: skip
    for key, array in network.named_arrays().items():
        np.testing.assert_array_equal(twin.named_arrays()[key], array, strict=True)
    for field in ("shift", "scale"):
        np.testing.assert_array_equal(getattr(twin.input, field), getattr(network.input, field), strict=True)
    np.testing.assert_array_equal(twin.predict(X), network.predict(X), strict=True)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_loaded_network_trains_on_as_the_saved_one_would(name, path):
    network = trained(name)
    network.save(path)
    twin = load(path)
    for net in (network, twin):
        net.fit(X, targets_of(net), epochs=2, batch_size=8)
    np.testing.assert_array_equal(twin.params, network.params)


def test_arrays_can_be_read_by_any_safetensors_reader(path):
    network = trained("batch norm")
    network.save(path)
    arrays = load_file(path)
    norm = {"1.gain", "1.shift", "1.running_mean", "1.running_variance"}
    assert set(arrays) == {"0.weight", *norm, "4.weight", "4.bias"}
    np.testing.assert_array_equal(arrays["0.weight"], network.weights[0], strict=True)
    assert arrays["1.running_mean"].dtype == np.float64


def test_extra_comes_back(path):
    extra = {"classes": ["a", "ä\n", ""], "nested": {"n": [1, 2.5, None, True]}}
    save(trained(), path, extra=extra)
    network, got = load_with_extra(path)
    assert got == extra and isinstance(network, fm.Network)
    save(network, path)
    assert load_with_extra(path)[1] == {}


def test_the_same_network_gives_the_same_bytes(path, tmp_path):
    network = trained()
    network.save(path)
    network.save(tmp_path / "again")
    load(path).save(tmp_path / "and again")
    assert path.read_bytes() == (tmp_path / "again").read_bytes() == (tmp_path / "and again").read_bytes()


def test_a_write_that_fails_leaves_the_old_file(path, monkeypatch):
    network = trained()
    network.save(path)
    before = path.read_bytes()
    network.params += 1

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        network.save(path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_what_cannot_be_saved_is_refused_and_nothing_written(path):
    network = trained()
    for extra, message in (({"x": {1, 2}}, "extra must hold only what JSON"), ({"x": float("nan")}, "extra must hold")):
        with pytest.raises(ValueError, match=message):
            save(network, path, extra=extra)
    with pytest.raises(ValueError, match="must fit in the file's header"):
        save(network, path, extra={"text": "x" * 9_000_000})
    network.params[4] = np.nan
    with pytest.raises(ValueError, match=r"network: 0\.weight must be finite, got nan in row 0, column 4"):
        save(network, path)
    scheduled = fm.Network([2, 3], loss=fm.Loss("cross_entropy", label_smoothing=lambda step: 0.1))
    with pytest.raises(ValueError, match="label_smoothing is a function of the step"):
        scheduled.save(path)
    dropping = fm.Network([fm.Input(2), fm.Dropout(lambda step: 0.5), 3])
    with pytest.raises(ValueError, match="the rate of a Dropout is a function of the step"):
        dropping.save(path)
    own = fm.Network([2, 3], init=FanScaled(3.0, both_fans=True, uniform=True))
    with pytest.raises(ValueError, match="can't be saved"):
        own.save(path)
    other = fm.Network([2, 3])
    other.rng = np.random.Generator(np.random.MT19937(0))
    with pytest.raises(ValueError, match="generator of MT19937"):
        other.save(path)
    assert not path.exists()


def test_paths_are_checked(tmp_path):
    with pytest.raises(TypeError, match="path must be a string or a path, got int"):
        load(5)
    with pytest.raises(TypeError, match="path must be"):
        trained("plain").save(None)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none")
    with pytest.raises(OSError):
        load(tmp_path)
    with pytest.raises(FileNotFoundError):
        trained("plain").save(tmp_path / "no folder" / "model")


def test_schedules_of_the_package_come_back(path):
    network = fm.Network(
        [5, fm.Dense(8, "relu"), fm.Dropout(fm.Cosine(0.5, n_steps=9)), 3],
        loss=fm.Loss("cross_entropy", label_smoothing=fm.Warmup(3, fm.Exponential(0.2))), seed=1,
    )  # fmt: skip
    network.save(path)
    twin = load(path)
    assert (twin.layers, twin.loss) == (network.layers, network.loss)
    for net in (network, twin):
        net.fit(X, LABELS, epochs=2, batch_size=8)
    np.testing.assert_array_equal(twin.params, network.params)


@pytest.mark.parametrize("average", [None, 0.9])
@pytest.mark.parametrize("optimizer", [fm.Adam(0.01), fm.SGD(0.1), fm.SGD(0.1, momentum=0.9), fm.Rprop()])
def test_momenta_come_back(optimizer, average, path):
    network = trained()
    settings = {"optimizer": optimizer, "epochs": 2, "batch_size": 40, "warm_start": True, "average": average}
    network.fit(X, LABELS, **settings)
    network.save(path)
    twin = load(path)
    assert twin.optimizer_state.n_steps == network.optimizer_state.n_steps == 2
    for net in (network, twin):
        net.fit(X, LABELS, **settings)
    np.testing.assert_array_equal(twin.params, network.params)
    twin.optimizer_state = None
    twin.save(path)
    assert load(path).optimizer_state is None


def test_nan_is_written_and_read_only_where_it_is_allowed(path):
    network = trained("plain")
    network.params[4] = np.nan
    with pytest.raises(ValueError, match=r"network: 0\.weight must be finite, got nan"):
        network.save(path)
    assert not path.exists()
    network.save(path, allow_nan=True)
    with pytest.raises(ValueError, match=r"array '0\.weight' must be finite, got nan in row 0, column 4") as refused:
        fm.load(path)
    assert str(refused.value).startswith(str(path))
    np.testing.assert_array_equal(fm.load(path, allow_nan=True).params, network.params)


def rewritten(path, change):
    """The file of a batch-norm network with momenta after ``change(description, arrays)``."""
    network = trained()
    network.train_on_batch(X, LABELS)
    save(network, path)
    arrays = load_file(path)
    length = int.from_bytes(path.read_bytes()[:8], "little")
    header = json.loads(path.read_bytes()[8 : 8 + length])
    description = json.loads(header["__metadata__"]["fastmlp"])
    changed = change(description, arrays)
    text = changed if isinstance(changed, str) else json.dumps(description)
    save_file(arrays, path, {"fastmlp": text})


def put(*keys_and_value):
    """A change of one place in the description."""
    *keys, last, value = keys_and_value

    def change(description, arrays):
        for key in keys:
            description = description[key]
        description[last] = value

    return change


def array(name, value):
    """A change of one array; None takes it away."""

    def change(description, arrays):
        if value is None:
            del arrays[name]
        else:
            arrays[name] = value(arrays.get(name))

    return change


def network(*keys_and_value):
    return put("network", *keys_and_value)


IDLE = {
    "delta": network("loss", "delta", 2.0),
    "a quantile": network("loss", "q", 0.3),
    "quantiles": network("loss", "q", {"kind": "tuple", "items": [0.2, 0.8]}),
    "beta": network("loss", "beta", 0.5),
    "slope of the identity": network("layers", 2, "slope", 0.3),
    "slope of a layer without activation": network("layers", 0, "slope", 0.3),
    "slope of the output": network("layers", 4, "slope", 0.3),
}


@pytest.mark.parametrize("name", IDLE)
def test_a_setting_without_effect_that_older_versions_took_is_left_out(name, path):
    layer = {"kind": "Activation", "activation": "identity", "slope": None}
    rewritten(path, network("layers", 2, layer))
    plain = fm.load(path)

    def change(description, arrays):
        network("layers", 2, layer)(description, arrays)
        IDLE[name](description, arrays)

    rewritten(path, change)
    loaded = fm.load(path)
    assert loaded.loss == plain.loss and loaded.layers == plain.layers
    np.testing.assert_array_equal(loaded.predict(X), plain.predict(X))


def test_a_slope_for_the_output_activation_of_the_network_is_kept(path):
    net = fm.Network([3, fm.Dense(2, slope=0.3)], output="elu", seed=0)
    net.save(path)
    assert fm.load(path).layers == net.layers


BAD = {
    "no JSON": (lambda d, a: "{", "the metadata are not JSON: Expecting property name"),
    "no dictionary": (lambda d, a: "[]", "must hold a dictionary, got list"),
    "nested without end": (lambda d, a: "[" * 100_000, "recursion"),
    "infinity": (put("extra", "x", float("inf")), "hold Infinity; expected finite"),
    "newer": (put("format", 99), "format 99, written by fastmlp '.*', is newer than 1; update fastmlp"),
    "version of text": (put("format", "1"), "must have a format version from 1, got '1'"),
    "version true": (put("format", True), "must have a format version"),
    "one key more": (put("more", 1), "must have format, library, network and extra"),
    "extra is a list": (put("extra", []), "must have format, library, network and extra"),
    "network is null": (put("network", None), "description of a network must have"),
    "network without loss": (lambda d, a: d["network"].pop("loss") and None, "description of a network must have"),
    "unknown layer": (network("layers", 1, {"kind": "Lambda"}), "a layer must have one of the kinds Dense"),
    "layer is a list": (network("layers", 1, []), "a layer must have one of the kinds"),
    "field more": (network("layers", 1, "code", "1"), "description of a layer must have kind, momentum, epsilon"),
    "no layers": (network("layers", []), "the network must have layers, got none"),
    "layers by the million": (network("layers", [{}] * 10_001), "a list of at most 10000"),
    "rate above one": (network("layers", 3, "rate", 1.5), "rate must be a finite number"),
    "rate beyond any float": (network("layers", 3, "rate", 10**400), "rate must be a finite number|too large"),
    "rate of text": (network("layers", 3, "rate", "0.1"), "rate must be a number"),
    "units of another layer": (network("layers", 0, "units", 7), r"'0.weight' is F32 of shape \(5, 8\), expected"),
    "units below one": (network("layers", 0, "units", -8), "units must be between 1 and"),
    "units far above": (network("layers", 0, "units", 2**31 - 1), "'0.weight' is F32 of shape"),
    "input far above": (network("n_features", 2**31 - 1), "is impossible in a file of"),
    "activation unknown": (network("layers", 2, "activation", "reelu"), "activation='reelu' is unknown"),
    "activation is a dict": (network("layers", 2, "activation", {}), "activation must be a name"),
    "initialiser unknown": (network("init", "evil"), "init='evil' is unknown"),
    "initialiser is code": (
        network("layers", 0, "init", {"kind": "FanScaled"}),
        "an initialiser must have one of the kinds",
    ),
    "loss unknown": (network("loss", "name", "none"), "loss='none' is unknown"),
    "loss is text": (network("loss", "mse"), "description of a loss must have"),
    "loss against output": (network("output", "relu"), "needs the output activation softmax"),
    "output is a number": (network("output", 1), "output must be a name"),
    "dtype of another": (network("dtype", "float64"), "expected F64"),
    "dtype unknown": (network("dtype", "object"), "dtype must be 'float32' or 'float64'"),
    "generator unknown": (network("generator", {"bit_generator": "MT19937"}), "generator must be a state of PCG64"),
    "generator too large": (network("generator", "state", "state", 2**200), "generator must be a state of PCG64"),
    "generator is a list": (network("generator", []), "generator must be a state of PCG64"),
    "generator of texts": (network("generator", "state", "x"), "generator must be a state of PCG64"),
    "array lacking": (array("4.bias", None), r"the arrays of the network it describes \(different: 4.bias\)"),
    "array too many": (array("9.weight", lambda _: np.zeros(3, np.float32)), "different: 9.weight"),
    "array of integers": (array("4.bias", lambda b: b.astype(np.int32)), "'4.bias' is I32 of shape"),
    "array of other shape": (array("0.weight", lambda w: w.T.copy()), r"is F32 of shape \(8, 5\), expected F32"),
    "array with NaN": (array("4.bias", lambda b: b * np.float32("nan")), "array '4.bias' must be finite, got nan"),
    "negative variance": (array("1.running_variance", lambda v: -v), "must not be negative"),
    "optimizer of another form": (put("optimizer", {}), "an optimizer must have n_averaged, n_slots, n_steps, rule"),
    "optimizer without a name": (put("optimizer", "rule", 1), "rule must be the name of an optimizer, got 1"),
    "steps below zero": (put("optimizer", "n_steps", -1), "n_steps of an optimizer must be a whole number from 0"),
    "steps of a float": (put("optimizer", "n_steps", 1.0), "n_steps of an optimizer must be a whole number from 0"),
    "a thousand momenta": (put("optimizer", "n_slots", 1000), "n_slots of an optimizer must be a whole number"),
    "a mask seed that is none": (put("optimizer", "mask_seed", -1), "mask_seed of an optimizer must be a whole number"),
    "momenta lacking": (put("optimizer", "n_slots", None), "different: optimizer.vectors"),
    "momenta of others": (array("optimizer.vectors", lambda v: v[:, :-1].copy()), "'optimizer.vectors' is F32 of"),
    "momenta of NaN": (array("optimizer.vectors", lambda v: v * np.float32("nan")), "'optimizer.vectors' must be fin"),
    "average lacking": (put("optimizer", "n_averaged", 3), "different: optimizer.path, optimizer.path_stat"),
    "estimator is text": (put("estimator", "MLP"), "an estimator must have at most 16 curves by name"),
    "curves without end": (
        put("estimator", {"curves": {str(i): 1 for i in range(17)}}),
        "must have at most 16 curves by name",
    ),
    "curve of no length": (put("estimator", {"curves": {"a": -1}}), "must have whole numbers as lengths"),
    "curve lacking": (put("estimator", {"curves": {"a": 10**15}}), "different: curve.a"),
    "schedule unknown": (network("layers", 3, "rate", {"kind": "exec"}), "is not a value that fastmlp writes"),
    "no schedule": (network("layers", 3, "rate", {"kind": "Normal", "std": 1.0}), "rate must be a number or a fun"),
    "schedule above one": (network("layers", 3, "rate", {"kind": "Constant", "value": 1.5}), "rate"),
    "impossible delta of another loss": (network("loss", "delta", -1.0), "delta must be"),
    "impossible slope of the identity": (network("layers", 0, "slope", -1.0), "slope must be"),
    "smoothing by a tuple": (network("loss", "label_smoothing", {"kind": "tuple", "items": []}), "label_smoothing mu"),
    "scale alone": (array("input.scale", lambda _: np.ones(5)), "different: input.shift"),
}


@pytest.mark.parametrize("name", BAD)
def test_inconsistent_files_are_refused_with_one_sentence(name, path):
    change, message = BAD[name]
    rewritten(path, change)
    tracemalloc.start()
    with pytest.raises(ValueError, match=message) as refused:
        load(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert str(refused.value).startswith(str(path))
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 600
    assert peak < 8e6


def test_a_small_file_cannot_ask_for_much_memory_in_use(path, monkeypatch):
    stack = fm.Network([1, fm.Dense(1000), *[fm.Dropout(0.1)] * 400, 1], seed=0)
    message = (
        r"the 402 layers of the network would take \d+ bytes for a few rows; a file of \d+ bytes may take at most \d+"
    )
    with pytest.raises(ValueError, match=message):
        stack.save(path)
    assert not path.exists()
    monkeypatch.setattr(persistence, "check_work", lambda *_: None)
    stack.save(path)
    assert path.stat().st_size < 60_000
    monkeypatch.undo()
    with pytest.raises(ValueError, match=message):
        load(path)
    for layers in (
        [1, 100_000],
        [500_000, 1],
        [784, *[1000, fm.BatchNorm(), fm.Activation("elu"), fm.Dropout()] * 3, 9],
    ):
        fm.Network(layers, seed=0).save(path)
        load(path)


def test_files_that_are_no_models_are_refused(path):
    for content in (b"", b"1234567", b"\0" * 8, b"\xff" * 100, (2**63).to_bytes(8, "little") + b"{}", b"GIF89a" * 50):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="safetensors file") as refused:
            load(path)
        assert str(refused.value).startswith(str(path))
    save_file({"w": np.zeros(3, np.float32)}, path)
    with pytest.raises(ValueError, match="the metadata have no entry 'fastmlp'"):
        load(path)
    save_file({"w": np.zeros(3, np.float32)}, path, {"fastmlp": "x" * 9_000_000})
    with pytest.raises(ValueError, match="a header of .* bytes; a fastmlp model has at most 4194304"):
        load(path)


def test_a_file_cut_off_anywhere_is_refused(path):
    trained().save(path)
    content = path.read_bytes()
    for length in [*range(0, 24), *range(24, len(content), 61), len(content) - 1]:
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match="safetensors file"):
            load(path)
    path.write_bytes(content + b"\0")
    with pytest.raises(ValueError, match="not a complete safetensors file"):
        load(path)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_gives_a_network_or_one_clear_error(data, tmp_path):
    path = tmp_path / "whole"
    if not path.exists():
        trained().save(path)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    damaged = tmp_path / "damaged"
    damaged.write_bytes(content)
    try:
        network = load(damaged)
    except ValueError as error:
        assert str(error).startswith(str(damaged))
    else:
        assert np.isfinite(network.params).all()


def test_the_format_is_documented_by_its_version():
    assert persistence.FORMAT == 1
