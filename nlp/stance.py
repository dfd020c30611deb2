"""Teaches the adapted branch sentiment. The shared bottom is frozen, so its states are computed once and kept."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from nlp.adapter import Average, adapt, deltas
from nlp.tokens import batches
from nlp.trunk import HIDDEN, Arrays, Trunk, padding_bias, pooled

Tick = Callable[[str, float], None]  # what is being done, and the share that is done


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How the branch is trained."""

    rank: int = 64
    epochs: int = 3
    rows: int = 64
    rate: float = 1e-3
    warm_up: float = 0.06
    decay: float = 0.01
    dropout: float = 0.1
    masked: float = 0.1
    seed: int = 11


@dataclass(frozen=True, slots=True)
class States:
    """The shared states of many windows, one after the other: (tokens, 384) bfloat16, and where each begins."""

    flat: Tensor
    begins: npt.NDArray[np.integer[Any]]  # (n + 1,)

    @property
    def lengths(self) -> npt.NDArray[np.integer[Any]]:
        """Tokens of each window."""
        return np.diff(self.begins)

    def padded(self, rows: Sequence[int] | npt.NDArray[np.integer[Any]]) -> tuple[Tensor, Tensor]:
        """States (n, longest, 384) and mask (n, longest) of some windows."""
        longest = int(max(self.lengths[row] for row in rows))
        states, mask = torch.zeros(len(rows), longest, HIDDEN), torch.zeros(len(rows), longest)
        for place, row in enumerate(rows):
            length = int(self.lengths[row])
            states[place, :length] = self.flat[self.begins[row] : self.begins[row + 1]]
            mask[place, :length] = 1
        return states, mask


def shared_states(trunk: Trunk, windows: Sequence[Sequence[int]], tick: Tick) -> States:
    """Run the frozen bottom over all windows once."""
    begins = np.concatenate([[0], np.cumsum([len(window) for window in windows])])
    flat = torch.empty(int(begins[-1]), HIDDEN, dtype=torch.bfloat16)
    done = 0
    for batch in batches(windows, budget=2048):
        mask = torch.from_numpy(batch.mask)
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            states = trunk.bottom(torch.from_numpy(batch.ids), padding_bias(mask)).bfloat16()
        for place, row in enumerate(batch.rows):
            flat[begins[row] : begins[row + 1]] = states[place, : int(begins[row + 1] - begins[row])]
        done += len(batch.rows)
        tick("shared layers", done / len(windows))
    return States(flat, begins)


def train(trunk: Trunk, states: States, labels: npt.NDArray[np.integer[Any]], recipe: Recipe, tick: Tick) -> Arrays:
    """Train the branch and a linear head on it; return the low-rank matrices, `stance.weight` and `stance.bias`.

    The loss adds the log share of each class to the logits, so the head itself assumes equal shares.
    """
    torch.manual_seed(recipe.seed)
    generator = torch.Generator().manual_seed(recipe.seed)
    parameters = adapt(trunk, recipe.rank, generator)
    head = nn.Linear(2 * HIDDEN, 3)
    parameters += list(head.parameters())
    prior = torch.from_numpy(np.log(np.bincount(labels, minlength=3) / len(labels))).float()
    optimizer = torch.optim.AdamW(parameters, lr=recipe.rate, weight_decay=recipe.decay, fused=True)
    steps = recipe.epochs * (len(labels) // recipe.rows)
    average, step, order = Average(parameters), 0, np.random.default_rng(recipe.seed)
    for _ in range(recipe.epochs):
        for rows in _epoch(states.lengths, recipe.rows, order):
            for group in optimizer.param_groups:
                group["lr"] = recipe.rate * _slope(step / steps, recipe.warm_up)
            padded, mask = states.padded(rows)
            mask[:, 1:] *= torch.rand(mask[:, 1:].shape) >= recipe.masked  # some tokens go unseen, never the first
            logits = head(functional.dropout(branch(trunk, padded, mask), recipe.dropout))
            loss = functional.cross_entropy(logits + prior, torch.from_numpy(labels[rows]))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            average.update()
            step += 1
            tick(f"stance, loss {loss.item():.3f}", step / steps)
    average.apply()
    return deltas(trunk) | {"stance.weight": head.weight.detach().numpy(), "stance.bias": head.bias.detach().numpy()}


def branch(trunk: Trunk, states: Tensor, mask: Tensor) -> Tensor:
    """Shared states (n, length, 384) to what the stance head reads: (n, 768)."""
    bias = padding_bias(mask)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        for layer in trunk.adapted:
            states = layer(states, bias)
    return pooled(states, mask)


def _slope(share: float, warm_up: float) -> float:
    return min(share / warm_up, (1 - share) / (1 - warm_up)) if share < 1 else 0.0


def _epoch(
    lengths: npt.NDArray[np.integer[Any]], rows: int, rng: np.random.Generator
) -> Iterator[npt.NDArray[np.int64]]:
    """All windows once in random order, in batches of like length."""
    order = rng.permutation(len(lengths))
    batches_ = []
    for start in range(0, len(order), rows * 40):
        part = order[start : start + rows * 40]
        part = part[np.argsort(lengths[part], kind="stable")]
        batches_ += [part[at : at + rows] for at in range(0, len(part) - rows + 1, rows)]
    for place in rng.permutation(len(batches_)):
        yield batches_[place]
