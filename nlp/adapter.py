"""Low-rank adaptation of the adapted branch: small matrices beside frozen ones. Training only."""

import math

import numpy as np
import torch
from torch import Tensor, nn

from nlp.trunk import LINEARS, SHARED, Arrays, Trunk


class LowRank(nn.Module):
    """A frozen linear map plus up @ down, which starts as nothing."""

    def __init__(self, linear: nn.Linear, rank: int, generator: torch.Generator) -> None:
        super().__init__()
        self.linear = linear
        bound = 1 / math.sqrt(linear.in_features)
        start = (torch.rand(rank, linear.in_features, generator=generator) * 2 - 1) * bound
        self.down = nn.Parameter(start)  # (rank, in)
        self.up = nn.Parameter(torch.zeros(linear.out_features, rank))

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., in) to (..., out)."""
        mapped: Tensor = self.linear(x) + (x @ self.down.T) @ self.up.T
        return mapped


def adapt(trunk: Trunk, rank: int, generator: torch.Generator) -> list[nn.Parameter]:
    """Put low-rank matrices beside every linear map of the adapted branch; return what there is to train."""
    parameters: list[nn.Parameter] = []
    for layer in trunk.adapted:
        for name in LINEARS:
            wrapped = LowRank(getattr(layer, name), rank, generator)
            setattr(layer, name, wrapped)
            parameters += [wrapped.down, wrapped.up]
    return parameters


def deltas(trunk: Trunk) -> Arrays:
    """The trained matrices, under the names `trunk.build` reads."""
    found: Arrays = {}
    for number, layer in enumerate(trunk.adapted, start=SHARED):
        for name in LINEARS:
            wrapped = getattr(layer, name)
            found[f"adapter.{number}.{name}.a"] = wrapped.down.detach().numpy().astype(np.float32)
            found[f"adapter.{number}.{name}.b"] = wrapped.up.detach().numpy().astype(np.float32)
    return found


class Average:
    """A running mean of the parameters: steadier than their last values.

    Args:
        parameters: what is being trained.
        keep: share of the old mean that stays at each step, once enough steps are seen.
    """

    def __init__(self, parameters: list[nn.Parameter], keep: float = 0.998) -> None:
        self._parameters, self._keep, self._steps = parameters, keep, 0
        self._means = [parameter.detach().clone() for parameter in parameters]

    def update(self) -> None:
        """Take the present values in."""
        self._steps += 1
        keep = min(self._keep, self._steps / (self._steps + 10))
        with torch.no_grad():
            for mean, parameter in zip(self._means, self._parameters, strict=True):
                mean.lerp_(parameter, 1 - keep)

    def apply(self) -> None:
        """Set the parameters to their means."""
        with torch.no_grad():
            for mean, parameter in zip(self._means, self._parameters, strict=True):
                parameter.copy_(mean)
