"""Saving and loading estimators: nothing is lost, nothing is pickled, and other files give one clear error."""

import json
import warnings

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import fastmlp as fm

pytest.importorskip("sklearn")

from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

RNG = np.random.default_rng(5)
X = RNG.normal(size=(60, 4))
NAMES = np.array(["ham", "spam", "eggs"])
BRIEF = {"max_iter": 3, "hidden_layer_sizes": (6,), "random_state": 0}
TARGETS = {
    "two texts": np.where(X[:, 0] > 0, "yes", "no"),
    "three texts": NAMES[np.arange(60) % 3],
    "texts of pandas": NAMES.astype(object)[np.arange(60) % 3],
    "numbers": np.array([7, -2, 30], dtype=np.int16)[np.arange(60) % 3],
    "bytes": (np.arange(60) % 4).astype(np.uint8),
    "truth values": X[:, 1] > 0,
    "floats": np.array([0.5, 1.5])[np.arange(60) % 2].round(),
    "one class": np.zeros(60, int),
    "several labels": np.stack([X[:, 0] > 0, X[:, 1] > 0, X[:, 2] > 0], axis=1).astype(int),
    "sparse labels": sparse.csr_matrix(np.stack([X[:, 0] > 0, X[:, 1] > 0], axis=1).astype(int)),
}


@pytest.fixture(autouse=True)
def unfinished_fits():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Stochastic Optimizer: Maximum iterations")
        warnings.filterwarnings("ignore", "lbfgs failed to converge")
        yield


@pytest.fixture
def path(tmp_path):
    return tmp_path / "estimator.safetensors"


def there_and_back(estimator, path):
    estimator.save(path)
    return type(estimator).load(path)


def assert_same(mine, other):
    """All fitted attributes but the network's own, and every prediction, to the bit."""
    fitted = [name for name in vars(mine) if name.endswith("_") and not name.startswith("_")]
    assert sorted(fitted) == sorted(name for name in vars(other) if name.endswith("_") and not name.startswith("_"))
    for name in set(fitted) - {"network_", "coefs_", "intercepts_"}:
        a, b = getattr(mine, name), getattr(other, name)
        assert type(a) is type(b), name
        np.testing.assert_equal(b, a, err_msg=name)
        assert not isinstance(a, np.ndarray) or a.dtype == b.dtype
    for method in ("predict", "predict_proba"):
        if hasattr(mine, method):
            a, b = (getattr(estimator, method)(X) for estimator in (mine, other))
            if sparse.issparse(a):
                a, b = a.toarray(), b.toarray()
            np.testing.assert_array_equal(a, b, strict=True)


@pytest.mark.parametrize("name", TARGETS)
def test_a_loaded_classifier_has_its_classes(name, path):
    y = TARGETS[name]
    model = fm.MLPClassifier(**BRIEF).fit(X, y)
    twin = there_and_back(model, path)
    assert_same(model, twin)
    assert twin.score(X, y) == model.score(X, y)
    assert twin.get_params() == model.get_params()
    np.testing.assert_array_equal(fm.load(path).predict(X), model.network_.predict(X))


SETTINGS = {
    "plain": {},
    "sgd": {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.1},
    "no momentum": {"solver": "sgd", "momentum": 0.0},
    "lbfgs": {"solver": "lbfgs", "max_iter": 9},
    "early stopping": {"early_stopping": True, "n_iter_no_change": np.inf},
    "float32, list": {"dtype": np.float32, "hidden_layer_sizes": [5, 4], "activation": ["tanh", "gelu"]},
    "optimizer": {"optimizer": fm.AdamW(fm.Cosine(0.01, n_steps=100)), "loss": fm.Loss("huber", delta=0.5)},
    "layers": {
        "batch_norm": True,
        "dropout": [0.1],
        "init": fm.Normal(0.2),
        "clip_norm": 1.0,
        "alpha": np.float64(0.1),
    },
    "schedules": {"dropout": fm.Constant(0.2), "schedule": fm.Exponential(0.01)},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_regressor_comes_back_with_its_arguments_and_goes_on_from_there(name, path):
    y = np.stack([X[:, 0] ** 2, X[:, 1]], axis=1)
    model = fm.MLPRegressor(**BRIEF | SETTINGS[name], warm_start=True).fit(X, y)
    twin = there_and_back(model, path)
    assert_same(model, twin)
    if name != "early stopping":  # equal arguments print the same, except infinity
        assert str(twin.get_params()) == str({**model.get_params()}).replace(
            "<class 'numpy.float32'>", "'float32'"
        ).replace("np.float64(0.1)", "0.1")
    assert twin.n_iter_no_change == model.n_iter_no_change
    for estimator in (model, twin):
        estimator.fit(X, y)
    assert_same(model, twin)
    assert_same(clone(model).fit(X, y), clone(twin).fit(X, y))


def test_partial_fit_goes_on_with_its_momenta(path):
    model = fm.MLPClassifier(random_state=0, hidden_layer_sizes=(6,))
    model.partial_fit(X[:30], TARGETS["two texts"][:30], classes=["no", "yes"])
    twin = there_and_back(model, path)
    for estimator in (model, twin):
        estimator.partial_fit(X[30:], TARGETS["two texts"][30:])
    assert_same(model, twin)


def test_feature_names_are_saved(path):
    model = fm.MLPRegressor(**BRIEF).fit(X, X[:, 0])
    model.feature_names_in_ = np.array(["a", "b", "ä", "d"], dtype=object)  # as after a fit on a data frame
    twin = there_and_back(model, path)
    np.testing.assert_array_equal(twin.feature_names_in_, model.feature_names_in_, strict=True)
    with pytest.warns(UserWarning, match="X does not have valid feature names, but MLPRegressor was fitted with"):
        twin.predict(X)


def test_the_file_has_curves_as_arrays_and_class_names_for_the_command_line(path):
    model = fm.MLPClassifier(**BRIEF).fit(X, TARGETS["numbers"])
    model.save(path)
    np.testing.assert_array_equal(load_file(path)["curve.loss"], model.loss_curve_)
    from fastmlp.network import load_with_extra

    assert load_with_extra(path)[1] == {"classes": ["-2", "7", "30"]}


def test_the_command_line_reads_the_file_of_an_estimator(path, tmp_path):
    from click.testing import CliRunner

    from fastmlp.cli import main

    model = fm.MLPClassifier(**BRIEF).fit(X, TARGETS["three texts"])
    model.save(path)
    (tmp_path / "rows.csv").write_text("\n".join(",".join(map(str, row)) for row in X.tolist()) + "\n")
    printed = CliRunner().invoke(main, ["predict", str(path), str(tmp_path / "rows.csv")])
    assert printed.stdout.splitlines() == ["predicted", *model.predict(X)]
    assert "eggs, ham, spam" in CliRunner().invoke(main, ["info", str(path)]).stdout


def test_weights_set_by_hand_are_saved(path):
    model = fm.MLPRegressor(**BRIEF).fit(X, X[:, 0])
    model.coefs_ = [np.ones_like(array) for array in model.coefs_]
    twin = there_and_back(model, path)
    assert all((array == 1).all() for array in twin.coefs_)


def test_arguments_that_are_code_are_left_out_with_a_warning(path):
    model = fm.MLPRegressor(
        **BRIEF | {"random_state": np.random.RandomState(0)}, callbacks=[fm.TimeLimit(60)], alpha=0.5,
        scoring=lambda estimator, X, y: 1.0, early_stopping=True,
    ).fit(X, X[:, 0])  # fmt: skip
    model.save(path)
    with pytest.warns(UserWarning, match="does not contain callbacks, random_state, scoring; they have their defaults"):
        twin = fm.MLPRegressor.load(path)
    assert (twin.random_state, twin.callbacks, twin.scoring, twin.alpha) == (None, (), None, 0.5)
    np.testing.assert_array_equal(twin.predict(X), model.predict(X))


def test_save_rejects_what_cannot_be_stored(path):
    with pytest.raises(NotFittedError):
        fm.MLPClassifier().save(path)
    model = fm.MLPRegressor(**BRIEF, dropout=lambda step: 0.1).fit(X, X[:, 0])
    with pytest.raises(ValueError, match="the rate of a Dropout is a function of the step"):
        model.save(path)
    assert not path.exists()


def test_curves_may_have_nan_and_weights_only_if_allowed(path):
    model = fm.MLPRegressor(**BRIEF).fit(X, X[:, 0])
    model._record.loss_curve[1] = np.nan
    assert np.isnan(there_and_back(model, path).loss_curve_[1])
    model.coefs_[0][0, 0] = np.nan
    with pytest.raises(ValueError, match="must be finite, got nan"):
        model.save(path)
    model.save(path, allow_nan=True)
    with pytest.raises(ValueError, match="must be finite, got nan"):
        fm.MLPRegressor.load(path)
    assert np.isnan(fm.MLPRegressor.load(path, allow_nan=True).coefs_[0][0, 0])


def test_a_file_of_something_else_is_refused(path, tmp_path):
    fm.Network([4, 3], seed=0).save(path)
    with pytest.raises(ValueError, match=r"holds a network, not an estimator; fastmlp\.load reads it") as refused:
        fm.MLPClassifier.load(path)
    assert str(refused.value).startswith(str(path))
    fm.MLPRegressor(**BRIEF).fit(X, X[:, 0]).save(path)
    with pytest.raises(ValueError, match="holds an MLPRegressor, not an MLPClassifier"):
        fm.MLPClassifier.load(path)
    with pytest.raises(FileNotFoundError):
        fm.MLPClassifier.load(tmp_path / "none")
    with pytest.raises(TypeError, match="path must be a string or a path, got int"):
        fm.MLPClassifier.load(3)


def put(*keys_and_value):
    *keys, last, value = keys_and_value

    def change(estimator):
        for key in keys:
            estimator = estimator[key]
        estimator[last] = value

    return change


BAD = {
    "one key more": (put("more", 1), "the description of an estimator must have arguments"),
    "arguments a list": (put("arguments", []), "arguments of an estimator must be arguments of MLPClassifier"),
    "argument unknown": (put("arguments", "evil", 1), "arguments of an estimator must be arguments of MLPClassifier"),
    "argument of code": (put("arguments", "loss", {"kind": "print"}), "is not a value that fastmlp writes"),
    "left out unknown": (put("left_out", ["evil"]), "arguments of an estimator must be arguments of MLPClassifier"),
    "left out a number": (put("left_out", [[]]), "unhashable|arguments of an estimator must be"),
    "labels of a regressor": (put("labels", None), "a classifier must have its labels"),
    "labels unknown": (put("labels", "kind", "continuous"), "unknown kind of labels: 'continuous'"),
    "labels of two": (put("labels", "kind", "binary"), "3 binary classes do not fit a network with 3 softmax outputs"),
    "labels too many": (put("labels", "classes", list("abcd")), "4 multiclass classes do not fit a network with 3"),
    "labels none": (put("labels", "classes", []), "0 multiclass classes do not fit"),
    "labels in disorder": (put("labels", "classes", ["spam", "ham", "eggs"]), "classes must be sorted, unique"),
    "labels twice": (put("labels", "classes", ["a", "a", "b"]), "classes must be sorted, unique"),
    "labels backwards": (put("labels", "classes", ["spam", "ham", "ham"]), "classes must be sorted"),
    "labels of code": (put("labels", "dtype", "O"), "a dtype of numbers, booleans or strings, got 'O'"),
    "labels a megabyte wide": (put("labels", "dtype", "<U999999"), "a dtype of numbers, booleans or strings"),
    "labels of another dtype": (put("labels", "dtype", "int8"), "must all be of type int"),
    "labels of dates": (put("labels", "dtype", "<M8[s]"), "a dtype of numbers, booleans or strings"),
    "labels of mixed types": (put("labels", "classes", ["eggs", 1, "spam"]), "must all be of type str"),
    "features lacking": (put("feature_names", ["a"]), "feature_names must be 4 strings, one for each column"),
    "loss of text": (put("loss", "small"), "a float as loss and an integer as n_iter"),
    "epochs of text": (put("n_iter", "3"), "a float as loss and an integer as n_iter"),
    "record lacking": (put("record", {}), "the record of an estimator must have best_loss"),
    "record of text": (put("record", "t", "3"), "t of an estimator's record must be a number, got '3'"),
    "record below zero": (put("record", "still", -3), "still of an estimator's record must be a number, got -3"),
    "record shown twice": (put("record", "is_shown", 2), "is_shown of an estimator's record must be true or false"),
}


@pytest.mark.parametrize("name", BAD)
def test_inconsistent_files_are_refused_with_one_sentence(name, path):
    change, message = BAD[name]
    fm.MLPClassifier(**BRIEF).fit(X, TARGETS["three texts"]).save(path)
    arrays = load_file(path)
    length = int.from_bytes(path.read_bytes()[:8], "little")
    description = json.loads(json.loads(path.read_bytes()[8 : 8 + length])["__metadata__"]["fastmlp"])
    change(description["estimator"])
    save_file(arrays, path, {"fastmlp": json.dumps(description)})
    with pytest.raises(ValueError, match=message) as refused:
        fm.MLPClassifier.load(path)
    assert str(refused.value).startswith(str(path))
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 600
