"""``fastmlp info``: show what a saved model contains."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

import click
import numpy as np

from fastmlp.checks.errors import printable
from fastmlp.cli import report
from fastmlp.cli.models import load_model
from fastmlp.model.layers import Input
from fastmlp.model.losses import Loss
from fastmlp.network import Network
from fastmlp.tables.explanation import Explanation
from fastmlp.tables.target import Target


@click.command("info")
@click.argument("model", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def info(model: Path) -> None:
    """Show what MODEL contains, a file written by 'fastmlp train --save' or 'network.save'.

    \b
    Show the layers, parameters, loss and classes of a model:
        fastmlp info digits.safetensors
    """
    saved = load_model(model)
    network = saved.network
    facts = {
        "File": f"{model}, {report.plural(model.stat().st_size, 'byte')}",
        "Network": report.network_line(network),
        "Parameters": f"{report.count(network.n_params)} of {network.dtype}",
        "Loss": _loss(network.loss),
        "Input": _input(network.input),
    }
    if network.target_scale is not None:
        facts["Targets"] = f"{report.plural(network.n_targets, 'column')}, scaled; predictions are in their own units"
    if saved.target.name:
        facts["Target"] = _target(saved.target)
    if saved.classes is not None:
        facts["Classes"] = report.names_line(saved.classes, 100)
    for name, fact in facts.items():
        click.echo(f"{name:<12}{fact}")
    if saved.encoder is not None:
        columns = Explanation(fact for fact in saved.encoder.explain() if fact.name != saved.target.name)
        click.echo(f"\nColumns\n{indent(str(columns), '  ')}")
    click.echo("\nArrays")
    for row in _arrays(network):
        click.echo(f"  {row}")


def _loss(loss: Loss) -> str:
    """The name of the loss, and its setting if it has one."""
    settings = "" if loss.spec.setting is None else f"{loss.spec.setting} {loss.parameter:g}"
    if loss.label_smoothing:
        settings = f"label smoothing {loss.label_smoothing}"
    return f"{loss.name}, {settings}" if settings else loss.name


def _input(layer: Input) -> str:
    """Number of columns, and how they are scaled."""
    columns = report.plural(layer.n_features, "column")
    if not layer.is_scaled:
        return f"{columns}, not scaled"
    shift, scale = np.asarray(layer.shift), np.asarray(layer.scale)
    if (shift == shift[0]).all() and (scale == scale[0]).all():
        return f"{columns}, each (x - {shift[0]:g}) * {scale[0]:g}"
    return f"{columns}, each (x - shift) * scale with its own shift and scale"


def _target(target: Target) -> str:
    """The name of the target, and how it is learned."""
    name = printable(target.name, 60)
    return f"{name!r}, learned as log(1 + {name})" if target.log else repr(name)


def _arrays(network: Network) -> list[str]:
    """A line for each array: name, shape and range of values."""
    arrays = network.named_arrays()
    shapes = {name: " x ".join(map(str, array.shape)) for name, array in arrays.items()}
    left, middle = max(map(len, arrays)), max(map(len, shapes.values()))
    lines = []
    for name in sorted(arrays, key=lambda name: int(name.split(".")[0])):
        of = f"{type(network.layers[int(name.split('.')[0])]).__name__}, "
        low, high = float(arrays[name].min()), float(arrays[name].max())
        lines.append(f"{name:<{left}}  {shapes[name]:>{middle}}  {of}from {low:.4g} to {high:.4g}")
    return lines
