"""What the pictures show: every fact of a drawing that a bug would break, read back from the artists."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

import fastmlp as fm  # noqa: E402
from fastmlp import plots  # noqa: E402

HISTORY = {
    "loss": np.array([0.9, 0.6, 0.4, 0.3]),
    "val_loss": np.array([0.8, 0.5, 0.55, 0.7]),
    "val_accuracy": np.array([0.6, 0.9, 0.85, 0.8]),
}


@pytest.fixture(autouse=True)
def tidy():
    """No function may leave a figure with pyplot or change the settings of matplotlib."""
    from matplotlib import pyplot

    before = dict(matplotlib.rcParams)
    yield
    assert pyplot.get_fignums() == []
    assert dict(matplotlib.rcParams) == before


@pytest.fixture
def ax():
    from matplotlib.figure import Figure

    return Figure().subplots()


def lines(ax):
    """The data of every line by its label."""
    return {line.get_label(): np.column_stack(line.get_data()) for line in ax.lines}


def marked(ax, beginning):
    """The one point whose legend entry begins so."""
    (line,) = (line for line in ax.lines if line.get_label().startswith(beginning))
    assert line.get_marker() == "o"
    ((x, y),) = line.get_xydata()
    return x, y


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def draw(drawn):
    """Render for real: layout problems warn here, and warnings are errors."""
    drawn.figure.canvas.draw()


# history


def test_history_draws_both_losses_and_the_accuracy():
    figure = plots.history(HISTORY)
    top, below = figure.axes
    epochs = np.arange(1, 5)
    np.testing.assert_array_equal(lines(top)["training"], np.column_stack([epochs, HISTORY["loss"]]))
    np.testing.assert_array_equal(lines(top)["validation"], np.column_stack([epochs, HISTORY["val_loss"]]))
    np.testing.assert_array_equal(below.lines[0].get_xydata(), np.column_stack([epochs, HISTORY["val_accuracy"]]))
    assert (top.get_ylabel(), below.get_ylabel(), below.get_xlabel()) == (
        "loss",
        "validation accuracy",
        "epoch",
    )
    draw(figure)
    assert below.yaxis.get_major_formatter()(0.9) in ("90 %", "90.0 %")


def test_history_marks_the_best_validated_epoch_in_both_axes():
    top, below = plots.history(HISTORY).axes
    assert marked(top, "lowest: epoch 2, 0.5") == (2, 0.5)
    assert marked(below, "epoch 2: 90.00 %") == (2, 0.9)


@pytest.mark.parametrize(("best_epoch", "kept"), [(None, 4), (2, 3)])
def test_history_marks_the_epoch_whose_weights_are_kept(best_epoch, kept):
    record = fm.History()
    record.extend(**{name: values.tolist() for name, values in HISTORY.items()})
    record.best_epoch = best_epoch
    top, below = plots.history(record).axes
    assert marked(top, "lowest: epoch 2, 0.5") == (2, 0.5)
    assert marked(top, f"kept: epoch {kept}") == (kept, HISTORY["val_loss"][kept - 1])
    assert marked(below, f"epoch {kept}: ") == (kept, HISTORY["val_accuracy"][kept - 1])
    record.best_epoch = 1
    top, below = plots.history(record, title="Bikes", loss="loss in scaled units").axes
    assert legend(top)[-1] == "lowest and kept: epoch 2, 0.5"
    assert (top.get_title(), top.get_ylabel()) == ("Bikes", "loss in scaled units")


def test_history_without_validation_marks_the_lowest_training_loss():
    figure = plots.history({"loss": [3.0, 1.0, 2.0]})
    (only,) = figure.axes
    assert marked(only, "lowest: epoch") == (2, 1.0)
    assert only.get_xlabel() == "epoch"
    assert legend(only) == ["training", "lowest: epoch 2, 1"]


def test_history_on_given_axes_returns_them_and_draws_the_losses_alone(ax):
    assert plots.history(HISTORY, ax=ax) is ax
    assert ax.figure.axes == [ax]
    assert legend(ax) == ["training", "validation", "lowest: epoch 2, 0.5"]


def test_history_of_one_epoch_is_visible_and_its_tick_is_whole():
    figure = plots.history({key: values[:1] for key, values in HISTORY.items()})
    draw(figure)
    assert figure.axes[0].lines[0].get_marker() == "o"
    low, high = figure.axes[1].get_xlim()
    assert [tick for tick in figure.axes[1].get_xticks() if low <= tick <= high] == [1]


def test_history_leaves_out_what_is_not_finite():
    figure = plots.history({"loss": [1.0, np.nan, 0.5, np.inf], "val_loss": [np.nan, 0.9, np.nan, 0.8]})
    (only,) = figure.axes
    np.testing.assert_array_equal(lines(only)["training"], [[1, 1.0], [3, 0.5]])
    np.testing.assert_array_equal(lines(only)["validation"], [[2, 0.9], [4, 0.8]])
    assert marked(only, "lowest: epoch") == (4, 0.8)


def test_history_without_an_accuracy_at_the_best_epoch_draws_without_a_mark():
    figure = plots.history({**HISTORY, "val_accuracy": [0.5, np.nan, 0.7, 0.8]})
    draw(figure)
    assert len(figure.axes[1].lines) == 1
    assert figure.axes[1].get_legend() is None


def test_history_on_a_logarithmic_axis():
    top, below = plots.history(HISTORY, log=True).axes
    assert (top.get_yscale(), below.get_yscale()) == ("log", "linear")


@pytest.mark.parametrize(
    ("bad", "log", "message"),
    [
        ({"val_loss": [1.0]}, False, "history must have the key 'loss'"),
        ({"loss": []}, False, r"history\['loss'\] must have 1 dimensions and not be empty"),
        ({"loss": [1.0, 2.0], "val_loss": [1.0]}, False, r"history\['val_loss'\] must have shape \(2,\)"),
        ({"loss": [np.nan]}, False, r"history\['loss'\] must hold a finite number"),
        ({"loss": [1.0, 0.0]}, True, "log=True needs losses above zero"),
    ],
)
def test_history_refuses(bad, log, message):
    with pytest.raises(ValueError, match=message):
        plots.history(bad, log=log)


# cost over weights


def test_cost_curve_draws_the_cost_and_marks_minimum_and_present_value(ax):
    grid = np.linspace(-5, 5, 101)
    costs = (grid - 1.5) ** 2 + 0.25
    assert plots.cost_curve(grid, costs, name="W1[0,0]", current=-2.0, ax=ax) is ax
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), np.column_stack([grid, costs]))
    assert marked(ax, "minimum 0.25 at 1.5") == (grid[65], costs[65])
    np.testing.assert_array_equal(lines(ax)["now at -2"][:, 0], [-2.0, -2.0])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("W1[0,0]", "cost")
    draw(ax)


def test_cost_curve_without_present_value_has_no_vertical_line():
    assert legend(plots.cost_curve([0, 1, 2], [3, 1, 2])) == ["minimum 1 at 1"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([0, 1], [1, 2, 3]), ValueError, r"costs must have shape \(2,\) to fit grid, got \(3,\)"),
        (([0, 0], [1, 2]), ValueError, "grid must be 1 or more increasing values"),
        (([0, 1], [1, np.nan]), ValueError, r"costs must be finite, got nan at index \(1,\)"),
        (([], []), ValueError, "grid must have 1 dimensions and not be empty"),
        ((["a"], [1]), TypeError, "grid must be an array of numbers"),
    ],
)
def test_cost_curve_refuses(arguments, error, message):
    with pytest.raises(error, match=message):
        plots.cost_curve(*arguments)


def bowl():
    grid_0, grid_1 = np.linspace(-2, 2, 21), np.linspace(0, 6, 31)
    return grid_0, grid_1, (grid_0[:, None] - 1) ** 2 + (grid_1[None, :] - 4) ** 2


def test_cost_surface_marks_the_minimum_on_the_right_axes():
    grid_0, grid_1, costs = bowl()
    ax = plots.cost_surface(grid_0, grid_1, costs, names=("a", "b"))
    assert marked(ax, "minimum") == pytest.approx((1.0, 4.0))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("a", "b")
    assert ax.get_xlim() == (-2, 2)
    assert ax.get_ylim() == (0, 6)
    draw(ax)
    colorbar = ax.figure.axes[1]
    assert colorbar.get_ylabel() == "cost"
    assert colorbar.get_ylim() == (costs.min(), costs.max())


def test_cost_surface_in_three_dimensions():
    grid_0, grid_1, costs = bowl()
    ax = plots.cost_surface(grid_0, grid_1, costs, kind="3d")
    assert ax.name == "3d"
    (minimum,) = ax.lines
    np.testing.assert_allclose(np.ravel(minimum.get_data_3d()), [1.0, 4.0, 0.0], atol=1e-12)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("W1[0,0]", "W1[0,1]")
    assert ax.figure.axes[1].get_ylabel() == "cost"
    draw(ax)


@pytest.mark.parametrize("level", [0.0, 1.0, -3.0, 1e20])
@pytest.mark.parametrize("kind", ["contour", "3d"])
def test_cost_surface_may_be_flat(level, kind):
    draw(plots.cost_surface([0, 1, 2], [0, 1], np.full((3, 2), level), kind=kind))


def test_cost_surface_draws_on_given_axes_of_the_right_projection(ax):
    grid_0, grid_1, costs = bowl()
    assert plots.cost_surface(grid_0, grid_1, costs, ax=ax) is ax
    with pytest.raises(ValueError, match="ax must fit kind='3d'"):
        plots.cost_surface(grid_0, grid_1, costs, kind="3d", ax=ax)


def test_cost_surface_refuses():
    grid_0, grid_1, costs = bowl()
    with pytest.raises(ValueError, match=r"costs must have shape \(21, 31\) to fit grid_0 and grid_1"):
        plots.cost_surface(grid_0, grid_1, costs.T)
    with pytest.raises(ValueError, match="kind='contours' is unknown; did you mean 'contour'"):
        plots.cost_surface(grid_0, grid_1, costs, kind="contours")
    with pytest.raises(ValueError, match="names must be two names"):
        plots.cost_surface(grid_0, grid_1, costs, names="ab")
    with pytest.raises(ValueError, match="grid_0 must be 2 or more increasing values"):
        plots.cost_surface([0], grid_1, costs[:1])


# activations


def test_activation_draws_curve_and_derivative(ax):
    assert plots.activation("sigmoid", z=(-3, 4), ax=ax) is ax
    z = np.linspace(-3, 4, 1001)
    value = 1 / (1 + np.exp(-z))
    np.testing.assert_allclose(lines(ax)["f(z)"], np.column_stack([z, value]), atol=1e-12)
    np.testing.assert_allclose(lines(ax)["f'(z)"][:, 1], value * (1 - value), atol=1e-12)
    assert (ax.get_title(), ax.get_xlabel()) == ("sigmoid", "z")
    assert legend(ax) == ["f(z)", "f'(z)"]


def test_activation_of_all_names_gives_small_multiples_with_common_axes():
    from fastmlp.model import activations

    figure = plots.activation()
    assert [ax.get_title() for ax in figure.axes] == [
        name for name in activations.ACTIVATIONS if name not in ("softmax", "exp")
    ]
    draw(figure)
    assert len({(ax.get_xlim(), ax.get_ylim()) for ax in figure.axes}) == 1
    assert figure.get_supxlabel() == "z"
    assert len(figure.legends) == 1
    for ax in figure.axes:
        np.testing.assert_array_equal(
            lines(ax)["f(z)"][:, 1], activations.activate(ax.get_title(), np.linspace(-5, 5, 1001))
        )


def test_activation_of_a_list_keeps_its_order():
    assert [ax.get_title() for ax in plots.activation(["tanh", "relu"]).axes] == ["tanh", "relu"]


def test_activation_refuses(ax):
    with pytest.raises(ValueError, match="rellu"):
        plots.activation("rellu")
    with pytest.raises(ValueError, match="softmax"):
        plots.activation(["relu", "softmax"])
    with pytest.raises(ValueError, match="only a single one with ax"):
        plots.activation(["relu"], ax=ax)
    with pytest.raises(ValueError, match="names must hold at least one activation"):
        plots.activation([])
    with pytest.raises(ValueError, match="z must be 2 or more increasing values"):
        plots.activation("relu", z=(5, -5))


# learning curve


def learning(**more):
    sizes = np.array([100, 1000, 10000])
    return SimpleNamespace(
        train_sizes=sizes,
        train_error=np.array([0.0, 0.02, 0.03]),
        validation_error=np.array([0.3, 0.1, 0.05]),
        **more,
    )


def test_learning_curve_draws_both_errors_over_a_logarithmic_axis():
    curve = learning()
    ax = plots.learning_curve(curve)
    expected = np.column_stack([curve.train_sizes, curve.validation_error])
    np.testing.assert_array_equal(lines(ax)["validation"], expected)
    np.testing.assert_array_equal(lines(ax)["training"][:, 1], curve.train_error)
    assert (ax.get_xscale(), ax.get_xlabel(), ax.get_ylabel()) == ("log", "training rows", "error")
    assert len(ax.collections) == 0
    draw(ax)
    ticks = [label.get_text() for label in ax.get_xticklabels()]
    assert sorted(ticks) == ["1,000", "10,000", "100"]


def test_learning_curve_bands_reach_one_standard_deviation():
    spread = np.array([0.1, 0.02, 0.01])
    ax = plots.learning_curve(learning(train_error_std=None, validation_error_std=spread))
    (band,) = ax.collections
    corners = band.get_paths()[0].vertices
    for size, mean, std in zip([100, 1000, 10000], [0.3, 0.1, 0.05], spread, strict=True):
        heights = corners[corners[:, 0] == size, 1]
        assert (heights.min(), heights.max()) == pytest.approx((mean - std, mean + std))


def test_learning_curve_leaves_out_ticks_that_would_overlap():
    curve = SimpleNamespace(train_sizes=[300, 301, 302, 3000], train_error=[0] * 4, validation_error=[1] * 4)
    assert sorted(plots.learning_curve(curve).get_xticks()) == [302, 3000]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train_sizes": [0, 1, 2]}, "curve.train_sizes must be above zero"),
        ({"train_sizes": [3, 2, 1]}, "curve.train_sizes must be 1 or more increasing"),
        ({"train_error": [0.1]}, r"curve.train_error must have shape \(3,\) to fit curve.train_sizes"),
        ({"validation_error": None}, "curve must have validation_error"),
        ({"train_error_std": [1, 2]}, "curve.train_error_std must have shape"),
    ],
)
def test_learning_curve_refuses(change, message):
    with pytest.raises(ValueError, match=message):
        plots.learning_curve(SimpleNamespace(**{**vars(learning()), **change}))


# confusion matrix


def cells(ax):
    """The text of each cell as a matrix, read from where it stands."""
    n = round(len(ax.texts) ** 0.5)
    table = np.full((n, n), "", dtype=object)
    for text in ax.texts:
        column, row = text.get_position()
        table[row, column] = text.get_text()
    return table.tolist()


def test_confusion_matrix_has_true_classes_in_rows():
    ax = plots.confusion_matrix((["cat", "cat", "dog", "cat"], ["dog", "dog", "dog", "cat"]))
    assert cells(ax) == [["1", "2"], ["0", "1"]]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["cat", "dog"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["cat", "dog"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted class", "true class")
    draw(ax)


def test_confusion_matrix_of_counts_and_of_shares(ax):
    matrix = [[8, 2, 0], [1, 3, 0], [0, 0, 0]]
    assert plots.confusion_matrix(matrix, ax=ax) is ax
    assert cells(ax) == [["8", "2", "0"], ["1", "3", "0"], ["0", "0", "0"]]
    shares = plots.confusion_matrix(matrix, normalize=True)
    assert cells(shares) == [["80.0", "20.0", "0"], ["25.0", "75.0", "0"], ["0", "0", "0"]]
    assert "per cent" in shares.get_ylabel()


def test_confusion_matrix_keeps_large_counts_and_fractions_readable():
    assert cells(plots.confusion_matrix([[1234567, 0.5], [2, 1]])) == [["1234567", "0.50"], ["2", "1"]]


def test_confusion_matrix_names_count_integer_labels_and_match_others_by_value():
    by_number = plots.confusion_matrix(([0, 2], [0, 0]), classes=["no", "maybe", "yes"])
    assert cells(by_number) == [["1", "0", "0"], ["0", "0", "0"], ["1", "0", "0"]]
    by_value = plots.confusion_matrix((["no", "yes"], ["no", "no"]), classes=["yes", "no"])
    assert cells(by_value) == [["0", "1"], ["0", "1"]]
    assert [label.get_text() for label in by_value.get_yticklabels()] == ["yes", "no"]


def test_confusion_matrix_colours_tell_hits_mistakes_and_zeros_apart():
    rng = np.random.default_rng(0)
    matrix = rng.integers(0, 4, (10, 10)) + np.diag(rng.integers(50, 100, 10))
    ax = plots.confusion_matrix(matrix)
    (image,) = ax.images
    colors = np.asarray(image.get_array())
    hit = np.eye(10, dtype=bool)
    assert (colors[hit][:, 2] > colors[hit][:, 0]).all(), "hits are blue"
    mistakes = ~hit & (matrix > 0)
    assert (colors[mistakes][:, 0] > colors[mistakes][:, 2]).all(), "mistakes are orange"
    assert (colors[~hit & (matrix == 0)] == 1).all(), "zeros are white"
    for text in ax.texts:
        column, row = text.get_position()
        ink = luminance(np.array(matplotlib.colors.to_rgb(text.get_color())))
        paper = luminance(colors[row, column])
        contrast = (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05)
        assert contrast < 3 if matrix[row, column] == 0 else contrast >= 3.5, (row, column, contrast)


def luminance(rgb):
    """Relative luminance as the Web Content Accessibility Guidelines 2.1 define it."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear @ (0.2126, 0.7152, 0.0722)


@pytest.mark.parametrize("n", [2, 10, 40])
def test_confusion_matrix_text_stays_inside_its_cell(n):
    ax = plots.confusion_matrix(np.full((n, n), 12345))
    draw(ax)
    cell = ax.transData.transform([[0, 0], [1, 1]])
    width, height = np.abs(cell[1] - cell[0])
    for text in ax.texts[:2]:
        box = text.get_window_extent()
        assert box.width < width
        assert box.height < height


@pytest.mark.parametrize(
    ("arguments", "classes", "message"),
    [
        ([[1, 2, 3], [4, 5, 6]], None, "matrix_or_pair must be square"),
        ([[1, -2], [4, 5]], None, "lowest count -2"),
        ([[1, 2], [4, 5]], ["a"], "classes must name 2 classes, got 1"),
        (([0, 1], [0]), None, "two 1-d arrays of equal length"),
        (([0], [0], [0]), None, "got a tuple of 3"),
        (([], []), None, "not empty"),
        (([0, 2], [0, 1]), ["a", "b"], "got the label 2"),
        ((["a"], ["c"]), ["a", "b"], "got the label 'c'"),
    ],
)
def test_confusion_matrix_refuses(arguments, classes, message):
    with pytest.raises(ValueError, match=message):
        plots.confusion_matrix(arguments, classes=classes)


# first layer


@pytest.mark.parametrize("n", [None, 5])
def test_first_layer_shows_every_unit_on_one_symmetric_scale(n):
    weights = np.random.default_rng(0).normal(size=(6, 7))
    shown = weights[:, :n]
    figure = plots.first_layer(SimpleNamespace(weights=[weights, None]), shape=(2, 3), n=n, columns=3)
    draw(figure)
    (image,) = figure.axes[0].images
    limit = np.abs(shown).max()
    assert image.get_clim() == (-limit, limit)
    wall = np.ma.filled(image.get_array(), np.nan)
    for unit in range(shown.shape[1]):
        row, column = divmod(unit, 3)
        tile = wall[row * 3 : row * 3 + 2, column * 4 : column * 4 + 3]  # gaps are one pixel
        np.testing.assert_array_equal(tile, shown[:, unit].reshape(2, 3))
    assert np.isfinite(wall).sum() == shown.size
    assert figure.axes[1].get_ylabel() == "weight"


def test_first_layer_takes_plain_weights_and_fills_its_grid():
    (image,) = plots.first_layer(np.ones((784, 30))).axes[0].images
    assert image.get_array().shape == (5 * 30 - 2, 6 * 30 - 2)


def test_first_layer_of_zeros_still_has_a_scale():
    figure = plots.first_layer(np.zeros((4, 1)), shape=(2, 2))
    draw(figure)
    assert figure.axes[0].images[0].get_clim() == (-1, 1)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"shape": (2, 2)},
            ValueError,
            r"shape must be \(height, width\) with 6 pixels in all, got \(2, 2\)",
        ),
        ({"shape": 6}, ValueError, "shape must be"),
        ({"n": 8}, ValueError, "n must be from 1 to 7, got 8"),
        ({"n": 0}, ValueError, "n must be from 1 to 7, got 0"),
        ({"n": 2.0}, TypeError, "n must be a whole number, got float"),
        ({"columns": 9}, ValueError, "columns must be from 1 to 7, got 9"),
    ],
)
def test_first_layer_refuses(options, error, message):
    with pytest.raises(error, match=message):
        plots.first_layer(np.ones((6, 7)), **{"shape": (2, 3), **options})


# figures


def test_a_new_figure_is_six_by_four_inches_at_150_dpi():
    figure = plots.history(HISTORY)
    assert tuple(figure.get_size_inches()) == (6, 4)
    assert figure.dpi == 150


def test_in_interactive_mode_pyplot_owns_the_figure():
    from matplotlib import pyplot

    with matplotlib.rc_context():
        pyplot.ion()
        try:
            ax = plots.cost_curve([0, 1], [1, 0])
            assert pyplot.gcf() is ax.figure
        finally:
            pyplot.ioff()
            pyplot.close("all")


def test_in_a_notebook_a_returned_figure_is_not_shown_twice(monkeypatch):
    from matplotlib import pyplot

    monkeypatch.setitem(sys.modules, "ipykernel", SimpleNamespace())
    plots.history(HISTORY)
    assert pyplot.get_fignums() == []
    ax = plots.cost_curve([0, 1], [1, 0])
    assert pyplot.gcf() is ax.figure
    pyplot.close(ax.figure)


def test_without_matplotlib_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'fastmlp\[plot\]'"):
        plots.cost_curve([0, 1], [1, 0])


def test_importing_plots_does_not_import_matplotlib():
    code = "import sys; from fastmlp import plots; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


# predicted classes and numbers, columns


def test_calibration_counts_how_often_a_probability_comes_true():
    ax = plots.calibration_curve([0, 0, 1, 1, 1, 0], [[0.1], [0.2], [0.3], [0.9], [0.8], [0.7]], n_bins=2)
    curve = ax.containers[0].lines[0].get_xydata()
    np.testing.assert_allclose(curve, [[0.2, 1 / 3], [0.8, 2 / 3]])
    assert ax.get_xlabel() == "probability of the second class"
    draw(ax)
    assert ax.yaxis.get_major_formatter()(0.5) in ("50 %", "50.0 %")


def test_calibration_of_several_classes_is_that_of_the_most_probable():
    p = np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8], [0.2, 0.7, 0.1]])
    ax = plots.calibration_curve([0, 1, 1], p, n_bins=5, title="Letters")
    np.testing.assert_allclose(ax.containers[0].lines[0].get_xydata(), [[0.5, 1], [0.7, 1], [0.8, 0]])
    assert (ax.get_xlabel(), ax.get_title()) == ("probability of the predicted class", "Letters")
    draw(ax)


@pytest.mark.parametrize(
    ("y", "p", "message"),
    [([0, 1], [[0.5]], r"y_true must have shape \(1,\)"), ([2], [[0.5]], "from 0 to 1, got 2"),
     ([0.5], [[0.5]], "must be labels"), ([0], [[1.5]], "from 0 to 1, got 1.5"), ([0], [0.5], "2 dimensions")],
)  # fmt: skip
def test_calibration_refuses(y, p, message):
    with pytest.raises(ValueError, match=message):
        plots.calibration_curve(y, p)


def test_predicted_numbers_lie_against_the_true_ones(ax):
    assert plots.predicted([1, 2, 3], [[1.5], [2.0], [2.5]], name="price", ax=ax) is ax
    np.testing.assert_array_equal(lines(ax)["equal"], [[1, 1], [3, 3]])
    np.testing.assert_array_equal(ax.lines[1].get_xydata(), [[1, 1.5], [2, 2], [3, 2.5]])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("true price", "predicted price")
    draw(ax)
    assert ax.xaxis.get_major_formatter()(1234567.5) == "1 234 567.5"


def test_residuals_are_true_minus_predicted_with_their_mean():
    y = np.arange(100.0)
    ax = plots.residuals(y, y + np.where(y < 50, 1, -3), title="Left over")
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), np.where(y < 50, -1, 3))
    means = lines(ax)["mean"][:, 1]
    assert len(means) == 10 and means[0] == -1 and means[-1] == 3
    assert ax.get_title() == "Left over" and ax.get_ylabel() == "true minus predicted"
    draw(ax)
    assert plots.residuals([1, 2], [1, 3]).get_legend() is None


def test_numbers_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"y_pred must have shape \(2,\) to fit y_true"):
        plots.predicted([1, 2], [1])
    with pytest.raises(ValueError, match="y_pred must be finite"):
        plots.residuals([1, 2], [1, np.nan])


def test_the_most_important_column_is_on_top():
    ax = plots.column_importance({"a": 0.1, "\x1b[2J" + "b" * 60: 0.5, "c": -0.01}, most=2, xlabel="points")
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["\\x1b[2J" + "b" * 30 + "...", "a"]
    assert [bar.get_width() for bar in ax.patches] == [0.5, 0.1]
    top, bottom = (bar.get_window_extent().y0 for bar in ax.patches)
    assert top > bottom and ax.get_xlabel() == "points"
    draw(ax)
