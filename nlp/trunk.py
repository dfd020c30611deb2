"""The encoder itself: MiniLM-L6 with a shared bottom and two tops. The only file that builds a torch module.

Layers 0 to 2 are shared and frozen. Layers 3 to 5 are there twice: as they were trained (the vector that links
texts, the topics) and adapted by low-rank matrices (the stance). Nine layers give what two encoders of six would.
"""

import math

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

HIDDEN, HEADS, INNER, LAYERS, SHARED = 384, 12, 1536, 6, 3
Arrays = dict[str, npt.NDArray[np.float32]]

#: The six matrices of a layer, by their name in the published weights.
LINEARS = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "out": "attention.output.dense",
    "up": "intermediate.dense",
    "down": "output.dense",
}


class Layer(nn.Module):
    """One transformer block of BERT: attention, then two dense layers, each with a residual and a norm."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key = nn.Linear(HIDDEN, HIDDEN), nn.Linear(HIDDEN, HIDDEN)
        self.value, self.out = nn.Linear(HIDDEN, HIDDEN), nn.Linear(HIDDEN, HIDDEN)
        self.up, self.down = nn.Linear(HIDDEN, INNER), nn.Linear(INNER, HIDDEN)
        self.norm_attention, self.norm_output = nn.LayerNorm(HIDDEN, eps=1e-12), nn.LayerNorm(HIDDEN, eps=1e-12)

    def forward(self, states: Tensor, bias: Tensor) -> Tensor:
        """Map states (n, length, 384) to the same shape; bias (n, 1, 1, length) is 0, or very low at padding."""
        n, length, _ = states.shape

        def split(x: Tensor) -> Tensor:
            return x.view(n, length, HEADS, HIDDEN // HEADS).transpose(1, 2)  # (n, heads, length, 32)

        query, key, value = split(self.query(states)), split(self.key(states)), split(self.value(states))
        weights = query @ key.transpose(-1, -2) / math.sqrt(HIDDEN // HEADS) + bias.to(query.dtype)
        mixed = weights.softmax(-1) @ value
        states = self.norm_attention(states + self.out(mixed.transpose(1, 2).reshape(n, length, HIDDEN)))
        normed: Tensor = self.norm_output(states + self.down(functional.gelu(self.up(states))))
        return normed


class Trunk(nn.Module):
    """Token ids to four pooled views of a text."""

    def __init__(self, vocabulary: int = 30522, positions: int = 512) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary, HIDDEN)
        self.positions = nn.Embedding(positions, HIDDEN)
        self.norm = nn.LayerNorm(HIDDEN, eps=1e-12)
        self.shared = nn.ModuleList(Layer() for _ in range(SHARED))
        self.plain = nn.ModuleList(Layer() for _ in range(LAYERS - SHARED))
        self.adapted = nn.ModuleList(Layer() for _ in range(LAYERS - SHARED))

    def bottom(self, ids: Tensor, bias: Tensor) -> Tensor:
        """Token ids (n, length) to the shared states (n, length, 384)."""
        states: Tensor = self.norm(self.words(ids) + self.positions.weight[: ids.shape[1]])
        for layer in self.shared:
            states = layer(states, bias)
        return states

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Token ids and mask, both (n, length), to (n, 4 * 384): plain mean, plain max, adapted mean, adapted max."""
        bias = padding_bias(mask)
        states = self.bottom(ids, bias)
        tops = []
        for top in (self.plain, self.adapted):
            branch = states
            for layer in top:
                branch = layer(branch, bias)
            tops.append(pooled(branch, mask))
        return torch.cat(tops, dim=-1)


def padding_bias(mask: Tensor) -> Tensor:
    """0 where there is a token, very low where there is padding: (n, length) to (n, 1, 1, length)."""
    return (1.0 - mask[:, None, None, :].float()) * -1e4


def pooled(states: Tensor, mask: Tensor) -> Tensor:
    """Mean and maximum over the tokens: (n, length, 384) to (n, 768)."""
    states, weight = states.float(), mask[:, :, None].float()
    mean = (states * weight).sum(1) / weight.sum(1).clamp(min=1.0)
    return torch.cat([mean, (states - (1.0 - weight) * 1e4).amax(1)], dim=-1)


def build(base: Arrays, deltas: Arrays) -> Trunk:
    """Put the published weights and our low-rank matrices together.

    Args:
        base: the arrays of the published MiniLM-L6 file, under their names there.
        deltas: `adapter.{layer}.{linear}.a` (rank, in) and `.b` (out, rank); b @ a is added to the matrix.
    """
    trunk = Trunk(*base["embeddings.word_embeddings.weight"].shape[:1])
    words, positions = base["embeddings.word_embeddings.weight"], base["embeddings.position_embeddings.weight"]
    with torch.no_grad():
        trunk.words.weight.copy_(torch.from_numpy(words))
        # every token is of the first segment: its embedding is folded into the positions
        trunk.positions.weight.copy_(torch.from_numpy(positions + base["embeddings.token_type_embeddings.weight"][0]))
        _fill(trunk.norm, base, "embeddings.LayerNorm")
        for number, layer in enumerate([*trunk.shared, *trunk.plain]):
            _fill_layer(_layer(layer), base, number)
        for number, layer in enumerate(trunk.adapted, start=SHARED):
            _fill_layer(_layer(layer), base, number)
            for name in LINEARS:
                if f"adapter.{number}.{name}.a" in deltas:
                    down, up = deltas[f"adapter.{number}.{name}.a"], deltas[f"adapter.{number}.{name}.b"]
                    getattr(layer, name).weight += torch.from_numpy(up @ down)
    return trunk.eval().requires_grad_(False)


def _layer(module: nn.Module) -> Layer:
    if not isinstance(module, Layer):
        raise TypeError(f"{type(module).__name__} is no layer")
    return module


def _fill_layer(layer: Layer, base: Arrays, number: int) -> None:
    prefix = f"encoder.layer.{number}"
    for ours, theirs in LINEARS.items():
        _fill(getattr(layer, ours), base, f"{prefix}.{theirs}")
    _fill(layer.norm_attention, base, f"{prefix}.attention.output.LayerNorm")
    _fill(layer.norm_output, base, f"{prefix}.output.LayerNorm")


def _fill(module: nn.Linear | nn.LayerNorm, base: Arrays, name: str) -> None:
    module.weight.copy_(torch.from_numpy(base[f"{name}.weight"]))
    module.bias.copy_(torch.from_numpy(base[f"{name}.bias"]))
