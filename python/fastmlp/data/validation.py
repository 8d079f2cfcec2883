"""The validation set of a fit: arrays, or chunks that are read again for every epoch."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import TypeAlias

from numpy.typing import ArrayLike

from fastmlp.data.chunks import Blocks, Chunks
from fastmlp.data.samples import TrainingData, Validation, check_samples
from fastmlp.model.model import Model

ValidationLike: TypeAlias = "tuple[ArrayLike, ...] | Chunks"
PLACE = " of validation_data"


class ChunkedValidation(Validation):
    """A validation set in chunks. The first block is read, and checked, before the fit begins.

    The source is read again after each epoch, and gets the index of that epoch.
    """

    def __init__(self, network: Model, chunks: Chunks) -> None:
        self._network = network
        self._chunks = chunks
        self._begun = self._read(0)
        first = next(self._begun)
        super().__init__(first)
        self._waiting: TrainingData | None = first

    def _read(self, epoch: int) -> Generator[TrainingData, None, None]:
        return Blocks(self._network, self._chunks, where="epoch {} of validation_data").of_epoch(epoch + 1)

    def pieces(self, epoch: int) -> Iterable[TrainingData]:
        """The samples, block by block, to be measured after this epoch (from 0)."""
        first, self._waiting = self._waiting, None
        if first is None or epoch > 0:  # used up, or a resumed fit has done the first epoch already
            self._begun.close()
            yield from self._read(epoch)
        else:
            yield first
            yield from self._begun


def check_validation(network: Model, validation_data: ValidationLike | None) -> Validation | None:
    """Check the validation set; of chunks the first ones."""
    if validation_data is None:
        return None
    if isinstance(validation_data, Chunks):
        return ChunkedValidation(network, validation_data)
    if not isinstance(validation_data, (tuple, list)) or len(validation_data) not in (2, 3):
        kind = type(validation_data).__name__
        size = f" of {len(validation_data)}" if isinstance(validation_data, (tuple, list)) else ""
        raise TypeError(
            f"validation_data must be a pair (X, y), a triple (X, y, sample_weight) or Chunks, got {kind}{size}"
        )
    X, y, *weights = validation_data
    return Validation(check_samples(network, X, y, *weights, place=PLACE))
