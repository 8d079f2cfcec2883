"""What ``fastmlp train`` prints: the plan, how good the network is, what its training cost."""

from __future__ import annotations

import numpy as np

from fastmlp.checks.errors import printable
from fastmlp.cli import report
from fastmlp.cli.defaults import Settings
from fastmlp.cli.sources import Problem
from fastmlp.cli.words import as_options
from fastmlp.data.splits import Part
from fastmlp.history import History
from fastmlp.metrics import as_labels, confusion_matrix, regression_errors
from fastmlp.network import Network

_FEW_ROWS = 20


def headline(problem: Problem, network: Network, settings: Settings) -> str:
    """The data, the network and the training to come."""
    rows = [f"{report.count(problem.n_train)} rows for training"]
    for part, use in ((problem.validation, "for validation"), (problem.test, "for testing")):
        if part is not None:
            rows.append(f"{report.count(len(part[0]))} {use}")
    goal = "numbers" if problem.classes is None else report.plural(len(problem.classes), "class", "classes")
    goal = f"{printable(problem.target_name, 60)!r} ({goal})" if problem.target_name else goal
    columns = "" if problem.encoder is not None else f"; {report.plural(problem.n_features, 'column')}"
    lines = {
        "Data": f"{problem.name}: {', '.join(rows)}{columns} -> {goal}",
        **problem.facts,
        "Network": f"{report.network_line(network)}; {report.plural(network.n_params, 'parameter')}",
        "Training": f"{report.plural(settings.epochs, 'epoch')} in batches of {settings.batch_size}, "
        f"{settings.optimizer}, loss {network.loss.name}, seed {settings.seed}",
    }
    return "\n".join(f"{name:<10}{as_options(line)}" for name, line in lines.items() if line)


def results(network: Network, problem: Problem) -> str:
    """How good the network is on the validation rows, and on the test rows or else on the training rows in memory."""
    parts = [("Validation", problem.validation), ("Test", problem.test)]
    judged = problem.test
    if judged is None and problem.n_streamed is None:
        judged = problem.train
        parts.append(("Training", judged))
    blocks = [_judged(network, problem, name, part) for name, part in parts if part is not None]
    if judged is not None and problem.classes is not None:
        counts = confusion_matrix(judged[1], as_labels("predictions", network.predict(judged[0])), len(problem.classes))
        blocks.append(f"\n{report.confusion_text(counts, problem.classes)}")
    if problem.test is not None and len(problem.test[0]) < _FEW_ROWS:
        blocks.insert(0, f"Few rows: figures from {report.plural(len(problem.test[0]), 'test row')} say little.")
    return "\n".join(blocks)


def _judged(network: Network, problem: Problem, name: str, part: Part) -> str:
    X, y = part
    predicted = network.predict(X)
    if problem.classes is None:
        decode = problem.target.decode
        return report.error_lines(name, regression_errors(decode(y), decode(predicted)), problem.target_name)
    counts = confusion_matrix(y, as_labels("predictions", predicted), len(problem.classes))
    return report.class_line(name, counts, problem.classes)


def cost(history: History, problem: Problem) -> str:
    """What the training cost, and why it stopped early if it did."""
    if not history.n_epochs:
        return "Interrupted during the first epoch."
    seconds = float(history["seconds"][-1])
    speed = history.n_epochs * problem.n_train / max(seconds, 1e-9)
    new = history.n_epochs - history.n_resumed
    line = f"Trained {report.plural(history.n_epochs, 'epoch')} in {report.duration(seconds)}: "
    line += f"{report.count(speed)} samples per second"
    if history.n_resumed:
        line += f"\nResumed from epoch {history.n_resumed}: {report.plural(new, 'epoch')} were new"
    if history.stop_reason != "epochs":
        line += f"\nStopped early: {history.stop_reason}"
    if history.best_epoch is not None:
        line += f"\nThe weights are those of epoch {history.best_epoch + 1}, the best in validation"
    elif problem.validation is not None:
        line += f"\nThe weights are those of the last epoch{_lowest(history)}; --patience keeps the best"
    return line


def _lowest(history: History) -> str:
    """Which epoch had the lowest validation loss, unless it is the last."""
    losses = history["val_loss"]
    if not np.isfinite(losses).any() or np.nanargmin(losses) == len(losses) - 1:
        return ""
    return f"; the validation loss was lowest in epoch {int(np.nanargmin(losses)) + 1}"


def against_pure_python(network: Network, problem: Problem, settings: Settings, history: History) -> str:
    """How much longer the same training takes in pure Python; ``ValueError`` if that is not covered."""
    from fastmlp.bench.pure_python import pure_python_seconds

    n_samples = len(problem.train[0])
    if settings.momentum:
        raise ValueError("the pure Python version has no momentum")
    widths = [network.n_features, *settings.hidden, network.n_outputs]
    seconds = pure_python_seconds(
        widths, settings.activation, network.output, network.loss.name, min(settings.batch_size, n_samples),
        n_samples, history.n_epochs, settings.optimizer,
    )  # fmt: skip
    factor = seconds / max(float(history["seconds"][-1]), 1e-9)
    without = ", without dropout" if settings.hidden and settings.dropout else ""
    return (
        f"{report.rounded(factor)} times as fast as pure Python, which would take {report.duration(seconds)}\n"
        f"  (estimated from a sample of the same work, just timed in pure Python{without})"
    )
