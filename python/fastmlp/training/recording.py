"""What the history records of every epoch: results of training and of validation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnn_core.passes.batches import Dtype
from fastmlp.checks.errors import shown
from fastmlp.checks.names import known_name
from fastmlp.data.missing import mean_over_columns
from fastmlp.data.rows import Targets
from fastmlp.data.samples import TrainingData, Validation
from fastmlp.metrics import CLASS_METRICS, METRICS, OTHER_NAMES, SYNONYMS
from fastmlp.model.model import Model
from fastmlp.passes.inference import Sums, predict

if TYPE_CHECKING:
    from fastmlp.callbacks.base import Run


class Metric(NamedTuple):
    """A function (y_true, y_pred) -> number, and the name to record it under."""

    name: str
    function: Callable[[Any, Any], float]

    @property
    def greater_is_better(self) -> bool | None:
        """What the function says about itself; None if it says nothing."""
        return getattr(self.function, "greater_is_better", None)


def make_metrics(metrics: Iterable[Any]) -> tuple[Metric, ...]:
    """Metrics from functions and names in `fastmlp.metrics.METRICS`; a single one needs no list."""
    if isinstance(metrics, str) or callable(metrics):
        metrics = (metrics,)
    if not isinstance(metrics, (tuple, Iterable)):  # a tuple is the quick case
        raise TypeError(f"metrics must be a list of names or functions of (y_true, y_pred), got {metrics!r:.60}")
    made = tuple(_metric(metric) for metric in metrics)
    names = [metric.name for metric in made]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"metrics must have different names, got {shown(name)} twice")
    return made


def _metric(metric: Any) -> Metric:
    if isinstance(metric, str):
        name = known_name("metrics", metric, METRICS, SYNONYMS, OTHER_NAMES)
        return Metric(name, METRICS[name])
    if not callable(metric) or isinstance(metric, type):
        raise TypeError(f"metrics must be names or functions of (y_true, y_pred), got {metric!r:.60}")
    name = getattr(metric, "__name__", "")
    if not name.isidentifier() or name == "loss":
        raise ValueError(f"metrics must have names, and none of them 'loss', got {metric!r:.60}; use def")
    made = Metric(name, metric)
    if not isinstance(made.greater_is_better, (bool, np.bool_, type(None))):
        raise TypeError(f"greater_is_better of {name} must be True or False, got {made.greater_is_better!r:.60}")
    return made


def directions(metrics: tuple[Metric, ...]) -> dict[str, bool]:
    """Whether more is better, by the names in the history of the metrics that say so."""
    return {f"val_{each.name}": each.greater_is_better for each in metrics if each.greater_is_better is not None}


def check_metrics(metrics: tuple[Metric, ...], network: Model, validation: Validation | None) -> None:
    """Raise ``ValueError`` if there are metrics but no validation set, or a metric does not suit its targets."""
    if not metrics:
        return
    if validation is None:
        raise ValueError(f"metrics={metrics[0].name!r} needs validation_data, and this fit has none")
    targets = validation.targets
    several = network.n_outputs > 1 and network.loss.spec.targets.labels and not _has_labels(targets)
    for name, function in metrics:
        if validation.has_weights() and function is not CLASS_METRICS["accuracy"]:
            raise ValueError(
                f"metrics={name!r} would ignore the weights of validation_data; leave them out, or measure only the "
                "loss and the accuracy, which are weighted"
            )
        n_estimates = network.loss.form.estimates(np.empty((0, network.n_outputs))).shape[1]
        if METRICS.get(name) is function and network.n_targets != n_estimates:
            raise ValueError(
                f"metrics={name!r} needs one target for each output, got {network.n_targets} targets for "
                f"{network.n_outputs} outputs; pass a function of (y_true, y_pred)"
            )
        if CLASS_METRICS.get(name) is function and not targets.is_class:
            raise ValueError(f"metrics={name!r} needs targets that name classes, got the values of a regression")
        if CLASS_METRICS.get(name) is function and several and name != "accuracy":
            raise ValueError(f"metrics={name!r} needs one class for each row, got {network.n_outputs} labels")
        if (
            name not in CLASS_METRICS
            and METRICS.get(name) is function
            and _has_labels(targets)
            and network.n_outputs > 1
        ):
            raise ValueError(f"metrics={name!r} needs the values of a regression, got targets that name classes")


def _has_labels(targets: Targets) -> bool:
    return targets.rows.code == Dtype.LABEL


def recorded_names(validation: Validation | None, metrics: tuple[Metric, ...]) -> tuple[str, ...]:
    """The names of the columns of the history."""
    names = ["loss", "seconds", "learning_rate"]
    if validation is not None:
        names += ["val_loss", "val_accuracy"] if validation.targets.is_class else ["val_loss"]
        names += [f"val_{metric.name}" for metric in metrics]
    return tuple(dict.fromkeys(names))


def record(
    run: Run,
    validation: Validation | None,
    metrics: tuple[Metric, ...],
    n_threads: int | None,
    **values: list[float],
) -> None:
    """Add epochs to the history, with the results of validation for the current weights."""
    if validation is not None:
        measured = validate(run.network, validation.pieces(run.history.n_epochs), metrics, n_threads)
        values |= {f"val_{name}": [value] for name, value in measured.items()}
    run.history.extend(**values)


def validate(
    network: Model, pieces: Iterable[TrainingData], metrics: tuple[Metric, ...], n_threads: int | None
) -> dict[str, float]:
    """Mean loss, accuracy and metrics of samples in pieces.

    In a metric, y_true is (n,) class numbers or (n, n_targets) with NaN for missing targets, and y_pred is
    (n, n_outputs), of all pieces together. The package's own metrics leave out missing targets.
    """
    metrics = tuple(metric for metric in metrics if metric.function is not CLASS_METRICS["accuracy"])  # in `Sums`
    sums, true, predicted = Sums(), [], []
    for piece in pieces:
        sums = sums.with_piece(network, piece, n_threads)
        if metrics:
            true.append(piece.targets.values())
            predicted.append(predict(network, piece.X, n_threads))
    measured = sums.means()
    if metrics:
        y_true, y_pred = (parts[0] if len(parts) == 1 else np.concatenate(parts) for parts in (true, predicted))
        y_true.flags.writeable = False
        measured |= {each.name: _number(each.name, _value(network, each, y_true, y_pred)) for each in metrics}
    return measured


def _value(network: Model, metric: Metric, y_true: NDArray[Any], y_pred: NDArray[Any]) -> Any:
    """The metric; one of the package's own compares the targets with their estimates, those that are there."""
    if METRICS.get(metric.name) is not metric.function:
        return metric.function(y_true, y_pred)
    y_pred = network.loss.form.estimates(y_pred) if y_true.ndim == 2 else y_pred
    if network.loss.missing and y_true.ndim == 2:
        return mean_over_columns(metric.function, y_true, y_pred)
    return metric.function(y_true, y_pred)


def _number(name: str, value: Any) -> float:
    if np.ndim(value) == 0 and np.asarray(value).dtype.kind in "biuf":
        return float(value)
    raise TypeError(f"metric {name!r} must return a number, got {value!r:.60}")
