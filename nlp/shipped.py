"""The one file of weights that ships: low-rank matrices, heads, and the numbers that calibrate them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import safe_open
from safetensors.numpy import save_file

from core.errors import SettingsError
from nlp.base import check

FOLDER = Path(__file__).parent / "weights"
FILE, DIGEST = "weights.safetensors", "weights.sha256"
NAME = "openear-minilm"
MOST_BYTES = 8_000_000


@dataclass(frozen=True, slots=True)
class Shipped:
    """What was trained: arrays in float32, and `numbers` (temperatures, thresholds, languages)."""

    arrays: dict[str, npt.NDArray[np.float32]]
    numbers: dict[str, Any]
    revision: str
    folder: Path

    def part(self, prefix: str) -> dict[str, npt.NDArray[np.float32]]:
        """The arrays whose name begins with `prefix`."""
        return {name: array for name, array in self.arrays.items() if name.startswith(prefix)}


def load(folder: Path | None = None) -> Shipped:
    """Read the weights, after checking them against the digest beside them.

    Raises:
        SettingsError: a file is missing, or is not the one its digest names.
    """
    folder = folder or FOLDER
    digest = folder / DIGEST
    if not digest.is_file():
        raise SettingsError(f"{digest} is missing: 'folder' under [model] must hold {FILE} and {DIGEST}")
    sha256 = digest.read_text("ascii").split()[0]
    check(folder / FILE, sha256)
    with safe_open(folder / FILE, framework="numpy") as opened:
        arrays = {name: opened.get_tensor(name).astype(np.float32) for name in opened.keys()}  # noqa: SIM118
        numbers = json.loads(opened.metadata()["numbers"])
    return Shipped(arrays, numbers, sha256[:7], folder)


def save(folder: Path, arrays: Mapping[str, npt.NDArray[Any]], numbers: Mapping[str, Any]) -> str:
    """Write weights (as float16) and their digest; return the digest."""
    import hashlib

    half = {name: np.ascontiguousarray(array, dtype=np.float16) for name, array in sorted(arrays.items())}
    folder.mkdir(parents=True, exist_ok=True)
    save_file(half, folder / FILE, metadata={"numbers": json.dumps(numbers, sort_keys=True)})
    body = (folder / FILE).read_bytes()
    if len(body) > MOST_BYTES:
        raise ValueError(f"the weights have {len(body):,} bytes, more than {MOST_BYTES:,}")
    sha256 = hashlib.sha256(body).hexdigest()
    (folder / DIGEST).write_text(f"{sha256}  {FILE}\n", "ascii")
    return sha256
