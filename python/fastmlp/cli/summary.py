"""What ``fastmlp train`` prints: the plan, how good the network is, what its training cost."""

from __future__ import annotations

from fastmlp.cli import report
from fastmlp.cli.defaults import Settings
from fastmlp.cli.sources import Problem
from fastmlp.history import History
from fastmlp.metrics import as_labels, confusion_matrix, regression_errors
from fastmlp.network import Network


def headline(problem: Problem, network: Network, settings: Settings) -> str:
    """The data, the network and the training to come."""
    X, _ = problem.train
    rows = [f"{report.count(len(X))} rows for training"]
    for part, use in ((problem.validation, "for validation"), (problem.test, "for testing")):
        if part is not None:
            rows.append(f"{report.count(len(part[0]))} {use}")
    goal = "numbers" if problem.classes is None else report.plural(len(problem.classes), "class", "classes")
    goal = f"{problem.target_name!r} ({goal})" if problem.target_name else goal
    return "\n".join(
        [
            f"Data      {problem.name}: {', '.join(rows)}; {report.plural(X.shape[1], 'column')} -> {goal}",
            f"Network   {report.network_line(network)}; {report.plural(network.n_params, 'parameter')}",
            f"Training  {report.plural(settings.epochs, 'epoch')} in batches of {settings.batch_size}, "
            f"{settings.optimizer}, loss {network.loss.name}, seed {settings.seed}",
        ]
    )


def results(network: Network, problem: Problem) -> str:
    """How good the network is on the test rows, or on the training rows if there are none."""
    name, part = ("Training", problem.train) if problem.test is None else ("Test", problem.test)
    X, y = part
    predicted = network.predict(X)
    if problem.classes is None:
        return report.error_lines(name, regression_errors(y, predicted), problem.target_name)
    counts = confusion_matrix(y, as_labels("predictions", predicted), len(problem.classes))
    return f"{report.class_line(name, counts)}\n\n{report.confusion_text(counts, problem.classes)}"


def cost(history: History, problem: Problem) -> str:
    """What the training cost, and why it stopped early if it did."""
    if not history.n_epochs:
        return "Interrupted during the first epoch."
    seconds = float(history["seconds"][-1])
    speed = history.n_epochs * len(problem.train[0]) / max(seconds, 1e-9)
    line = f"Trained {report.plural(history.n_epochs, 'epoch')} in {report.duration(seconds)}: "
    line += f"{report.count(speed)} samples per second"
    if history.stop_reason != "epochs":
        line += f"\nStopped early: {history.stop_reason}"
        line += "" if history.best_epoch is None else f"; the weights are those of epoch {history.best_epoch + 1}"
    return line


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
    without = ", without dropout" if settings.hidden and settings.dropout_for(problem) else ""
    return (
        f"{report.rounded(factor)} times as fast as pure Python, which would take {report.duration(seconds)}\n"
        f"  (estimated from a sample of the same work, just timed in pure Python{without})"
    )
