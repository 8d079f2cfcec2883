"""PyTorch compiled: forward, backward and update of a batch are one ``torch.compile``d function.

The step is written with ``torch.func``, so the compiler sees all of it and
autograd has nothing to record while it runs; parameters and moments are
updated in place. What compiling takes is part of the warm-up.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from torch.func import functional_call, grad

from ..cases import ADAM_BETA1, ADAM_BETA2, ADAM_EPSILON, Array, Case, Parameters, Problem
from . import TILE, Predict, Train
from .torch_eager import build, loss_function, read, tensor_batches, write

TITLE = "torch.compile"
COMPUTES = True
PARALLEL = True

Tensors = dict[str, torch.Tensor]

warnings.filterwarnings("ignore", category=DeprecationWarning)  # from the compiler itself


@lru_cache
def compiled_step(case: Case) -> Callable[..., None]:
    """The step of a case, compiled at its first call; networks of the same case share it."""
    net, loss = build(case), loss_function(case)

    def gradients(parameters: Tensors, X: Any, y: Any) -> Tensors:
        return grad(lambda values: loss(functional_call(net, values, (X,)), y))(parameters)

    def sgd(parameters: Tensors, X: Any, y: Any) -> None:
        for name, g in gradients(parameters, X, y).items():
            parameters[name].sub_(g, alpha=case.learning_rate)

    def adam(parameters: Tensors, X: Any, y: Any, means: Tensors, squares: Tensors, rate: Any, root: Any) -> None:
        for name, g in gradients(parameters, X, y).items():
            means[name].lerp_(g, 1 - ADAM_BETA1)
            squares[name].lerp_(g * g, 1 - ADAM_BETA2)
            parameters[name].sub_(rate * means[name] / (squares[name].sqrt() / root + ADAM_EPSILON))

    return torch.compile(sgd if case.optimizer == "sgd" else adam, dynamic=False, fullgraph=True)


def prepare(problem: Problem, n_threads: int) -> Train:
    """Make tensors of the data; the first training compiles."""
    torch.set_num_threads(n_threads)
    case = problem.case
    net, batches, step = build(case), tensor_batches(problem), compiled_step(case)
    parameters = {name: p.detach() for name, p in net.named_parameters()}

    def adam_arguments(n_updates: int, moments: list[Tensors]) -> tuple[Any, ...]:
        rate = case.learning_rate / (1 - ADAM_BETA1**n_updates)
        root = (1 - ADAM_BETA2**n_updates) ** 0.5
        return *moments, torch.tensor(rate), torch.tensor(root)

    @torch.no_grad()
    def train(epochs: int) -> Parameters:
        write(net, problem.start)
        moments = [{name: torch.zeros_like(p) for name, p in parameters.items()} for _ in range(2)]
        n_updates = 0
        for epoch in range(epochs):
            for X, y in batches(epoch):
                n_updates += 1
                step(parameters, X, y, *(adam_arguments(n_updates, moments) if case.optimizer == "adam" else ()))
        return read(net)

    return train


def prepare_predict(problem: Problem, X: Array, n_threads: int) -> Predict:
    """Compile the forward pass of a tile."""
    torch.set_num_threads(n_threads)
    net, tiles = build(problem.case).eval(), torch.tensor(X).split(TILE)
    write(net, problem.start)

    def forward(inputs: Any) -> Any:
        outputs = net(inputs if inputs.dtype is torch.float32 else inputs.to(torch.float32) * (1 / 255))
        return outputs.softmax(dim=1) if problem.case.output == "softmax" else outputs

    compiled = torch.compile(forward, fullgraph=True)

    @torch.inference_mode()
    def predict() -> Array:
        parts = [compiled(tile) for tile in tiles]
        return (parts[0] if len(parts) == 1 else torch.cat(parts)).numpy()

    return predict
