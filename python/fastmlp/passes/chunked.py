"""Predictions and results of samples that come in chunks. Inside, no other thread can train the network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from fastmlp.data.chunks import Blocks, Chunks, read
from fastmlp.model.model import Model
from fastmlp.passes.inference import Sums


def predict(network: Model, chunks: Chunks, predict_rows: Callable[[Any, str], NDArray[Any]]) -> NDArray[Any]:
    """Outputs (n, n_outputs) for the inputs of all chunks; ``predict_rows(X, argument)`` predicts those of one.

    Nobody knows the number of rows, so the array grows by a quarter where it is full.
    """
    out: NDArray[Any] | None = None
    n_rows = 0
    with network._access.reading:
        for place, chunk in read(chunks):
            part = predict_rows(inputs_of(chunk, place), f"X of {place}")
            if out is None:
                out = part.copy()  # an array that owns its memory can grow
            if part.dtype != out.dtype:
                raise TypeError(f"X of {place} must have the dtype of the first chunk, for predictions in {out.dtype}")
            needed = n_rows + len(part)
            if needed > len(out):
                out.resize((max(needed, len(out) * 5 // 4), out.shape[1]), refcheck=False)
            out[n_rows:needed] = part
            n_rows = needed
    assert out is not None  # there is at least one chunk
    out.resize((n_rows, out.shape[1]), refcheck=False)
    return out


def inputs_of(chunk: Any, place: str) -> Any:
    """X of a chunk: the first of several parts, or the chunk itself."""
    if not isinstance(chunk, (tuple, list)):
        return chunk
    if not 1 <= len(chunk) <= 3:
        raise TypeError(
            f"{place} must be X, (X, y) or (X, y, sample_weight), got a {type(chunk).__name__} of {len(chunk)}"
        )
    return chunk[0]


def evaluate(network: Model, chunks: Chunks, n_threads: int | None) -> dict[str, float]:
    """Mean loss, and accuracy if the targets name classes, over all chunks."""
    sums = Sums()
    with network._access.reading:
        for block in Blocks(network, chunks, where="").of_epoch(1):
            sums = sums.with_piece(network, block, n_threads)
    return sums.means()
