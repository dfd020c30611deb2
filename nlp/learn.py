"""Fits linear heads on fixed features: L-BFGS on logistic losses with a ridge. Training only."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from nlp.lexical import BUCKETS, buckets

Floats = npt.NDArray[np.floating[Any]]
Loss = Literal["sigmoid", "softmax"]


def fit(
    features: Any,
    targets: Floats,
    *,
    loss: Loss,
    ridge: float,
    weights: Floats | None = None,
    steps: int = 150,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Fit k linear heads.

    Args:
        features: (n, f), dense or CSR.
        targets: (n, k) of 0 and 1; for softmax each row sums to 1.
        loss: k separate yes-or-no heads, or one choice among k.
        ridge: strength of the pull to zero, per row.
        weights: (n, k) for sigmoid, (n, 1) for softmax; 0 leaves an entry out. None: all 1.
        steps: most iterations.

    Returns:
        Weights (k, f) and bias (k,).
    """
    count, width = features.shape
    kinds = targets.shape[1]
    weights = np.ones((count, 1)) if weights is None else weights
    scale = 1 / max(float(weights.sum()) / weights.shape[1], 1e-9)
    features = features.astype(np.float32)
    transposed = features.T.tocsr() if isinstance(features, csr_matrix) else features.T

    def objective(flat: Floats) -> tuple[float, Floats]:
        matrix, bias = flat[:-kinds].reshape(width, kinds), flat[-kinds:]
        logits = np.asarray(features @ matrix.astype(np.float32), dtype=np.float64) + bias
        value, slope = _sigmoid(logits, targets) if loss == "sigmoid" else _softmax(logits, targets)
        slope = slope * weights * scale
        gradient = np.asarray(transposed @ slope.astype(np.float32), dtype=np.float64) + 2 * ridge * matrix
        total = float((value * weights).sum() * scale + ridge * (matrix**2).sum())
        return total, np.concatenate([gradient.ravel(), slope.sum(0)])

    start = np.zeros(width * kinds + kinds)
    best = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": steps, "maxcor": 8}).x
    return best[:-kinds].reshape(width, kinds).T.astype(np.float32), best[-kinds:].astype(np.float32)


def _sigmoid(logits: Floats, targets: Floats) -> tuple[Floats, Floats]:
    value = np.logaddexp(0, logits) - targets * logits
    return value, 1 / (1 + np.exp(-np.clip(logits, -50, 50))) - targets


def _softmax(logits: Floats, targets: Floats) -> tuple[Floats, Floats]:
    shifted = logits - logits.max(1, keepdims=True)
    logged = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    return -(targets * logged).sum(1, keepdims=True), np.exp(logged) - targets


def standardised(features: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float32], Floats, Floats]:
    """Features with mean 0 and spread 1, and the mean and spread they had."""
    mean, spread = features.mean(0, dtype=np.float64), features.std(0, dtype=np.float64) + 1e-6
    return ((features - mean) / spread).astype(np.float32), mean, spread


def folded(
    weight: npt.NDArray[np.float32], bias: npt.NDArray[np.float32], mean: Floats, spread: Floats
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """The same heads for features that are not standardised."""
    plain = weight / spread
    return plain.astype(np.float32), (bias - plain @ mean).astype(np.float32)


def bags(windows: Sequence[Sequence[int]]) -> csr_matrix:
    """The lexical features of many windows: (n, buckets), each row of length 1."""
    rows = [buckets(window) for window in windows]
    begins = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    values = np.concatenate([np.full(len(row), 1 / np.sqrt(max(len(row), 1))) for row in rows])
    return csr_matrix((values.astype(np.float32), np.concatenate(rows), begins), shape=(len(rows), BUCKETS))
