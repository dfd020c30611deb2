"""The encoder in torch: the reference, and what runs where OpenVINO does not."""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import torch
from safetensors.numpy import load_file

from nlp import base
from nlp.shipped import Shipped
from nlp.tokens import TokenBatch
from nlp.trunk import Trunk, build


def merged(shipped: Shipped | None) -> Trunk:
    """The published encoder with our low-rank matrices merged in (none: as published)."""
    found = base.locate()
    base.check(found.weights, base.MODEL_SHA256)
    return build(load_file(found.weights), shipped.part("adapter.") if shipped else {})


class TorchRunner:
    """Runs the merged encoder by torch in float32: bfloat16 would let a text's neighbours move its last digits."""

    name = "torch"

    def __init__(self, trunk: Trunk, threads: int) -> None:
        self._trunk = trunk
        torch.set_num_threads(threads)

    def run(self, batches: Iterable[TokenBatch]) -> Iterator[tuple[TokenBatch, npt.NDArray[np.float32]]]:
        """See Runner."""
        for batch in batches:
            with torch.inference_mode():
                made = self._trunk(torch.from_numpy(batch.ids), torch.from_numpy(batch.mask))
            yield batch, made.float().numpy()
