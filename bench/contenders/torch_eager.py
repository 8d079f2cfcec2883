"""PyTorch as one runs it without compiling: autograd on CPU tensors, fused optimizers.

No DataLoader: the data are tensors from the start. Batches in order are views cut
once; shuffled ones are gathered by ``index_select``, which takes half the time of an
index in brackets. Gradients are set to None between steps, so that they are written
instead of added to. Predictions run under ``inference_mode``.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from ..cases import ADAM_BETA1, ADAM_BETA2, ADAM_EPSILON, Array, Case, Parameters, Problem
from . import TILE, Predict, Train

TITLE = "PyTorch"
COMPUTES = True
PARALLEL = True

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}


def build(case: Case) -> nn.Sequential:
    """The network; with cross-entropy it ends in scores, for the loss has the softmax."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(case.widths):
        layers += [nn.Linear(n_in, n_out), ACTIVATIONS[case.activation]()]
    layers.pop()
    if case.output in ACTIVATIONS:
        layers.append(ACTIVATIONS[case.output]())
    return nn.Sequential(*layers)


@torch.no_grad()
def write(net: nn.Sequential, start: Parameters) -> None:
    """Put the initial weights into the network; PyTorch's are (n_out, n_in)."""
    linear = [layer for layer in net if isinstance(layer, nn.Linear)]
    for layer, W, b in zip(linear, *start, strict=True):
        layer.weight.copy_(torch.from_numpy(W.T))
        layer.bias.copy_(torch.from_numpy(b))


def read(net: nn.Sequential) -> Parameters:
    """The weights as NumPy arrays (n_in, n_out)."""
    linear = [layer for layer in net if isinstance(layer, nn.Linear)]
    return Parameters(
        [layer.weight.detach().numpy().T.copy() for layer in linear],
        [layer.bias.detach().numpy().copy() for layer in linear],
    )


def loss_function(case: Case) -> Callable[[Any, Any], Any]:
    """Mean loss over a batch, from the network's output."""
    if case.loss == "cross_entropy":
        return nn.functional.cross_entropy
    factor = 0.5 * case.widths[-1]  # mse_loss is also a mean over the outputs
    return lambda prediction, y: factor * nn.functional.mse_loss(prediction, y)


def make_optimizer(case: Case, net: nn.Sequential) -> torch.optim.Optimizer:
    """Each rule in its fused form, all parameters in one call."""
    if case.optimizer == "sgd":
        return torch.optim.SGD(net.parameters(), lr=case.learning_rate, fused=True)
    betas = (ADAM_BETA1, ADAM_BETA2)
    return torch.optim.Adam(net.parameters(), lr=case.learning_rate, betas=betas, eps=ADAM_EPSILON, fused=True)


def tensor_batches(problem: Problem) -> Callable[[int], Any]:
    """A function from the epoch to its batches ``(X, y)``: views, or gathered rows where the case is shuffled."""
    X, y, batch_size = torch.tensor(problem.X), torch.tensor(problem.y), problem.case.batch_size
    if not problem.case.shuffle:
        batches = list(zip(X.split(batch_size), y.split(batch_size), strict=True))
        return lambda epoch: batches
    orders = [torch.tensor(order).split(batch_size) for order in problem.orders]
    return lambda epoch: ((X.index_select(0, rows), y.index_select(0, rows)) for rows in orders[epoch % len(orders)])


def prepare(problem: Problem, n_threads: int) -> Train:
    """Make tensors of the data."""
    torch.set_num_threads(n_threads)
    net, loss, batches = build(problem.case), loss_function(problem.case), tensor_batches(problem)

    def train(epochs: int) -> Parameters:
        write(net, problem.start)
        optimizer = make_optimizer(problem.case, net)
        for epoch in range(epochs):
            for X, y in batches(epoch):
                optimizer.zero_grad(set_to_none=True)
                loss(net(X), y).backward()
                optimizer.step()
        return read(net)

    return train


def prepare_predict(problem: Problem, X: Array, n_threads: int) -> Predict:
    """Rows are a tensor from the start, cut into tiles that fit the cache; uint8 becomes float, divided by 255."""
    torch.set_num_threads(n_threads)
    net, tiles = build(problem.case).eval(), torch.tensor(X).split(TILE)
    write(net, problem.start)
    if problem.case.output == "softmax":
        net.append(nn.Softmax(dim=1))

    @torch.inference_mode()
    def predict() -> Array:
        if tiles[0].dtype is torch.float32:
            parts = [net(tile) for tile in tiles]
        else:
            parts = [net(tile.to(torch.float32).mul_(1 / 255)) for tile in tiles]
        return (parts[0] if len(parts) == 1 else torch.cat(parts)).numpy()

    return predict
