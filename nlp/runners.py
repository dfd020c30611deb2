"""What runs the encoder: the exported int8 model in OpenVINO, or torch where that cannot be had."""

import importlib.metadata
import logging
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nlp import export, quiet
from nlp.encoder import Runner
from nlp.shipped import Shipped
from nlp.tokens import TokenBatch

log = logging.getLogger(__name__)

#: Set to "torch" to do without the exported model.
CHOICE = "OPENEAR_ENCODER"
BUILD_SECONDS = 900


class OpenVinoRunner:
    """Runs the exported encoder: one stream a thread, batches in flight on all of them."""

    name = "openvino"

    def __init__(self, folder: Path, threads: int) -> None:
        quiet.hush()
        import openvino

        settings = {
            "NUM_STREAMS": str(threads),
            "INFERENCE_NUM_THREADS": str(threads),
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": "THROUGHPUT",
        }
        self._model = openvino.Core().compile_model(folder / export.FILES[0], "CPU", settings)
        self._queue = openvino.AsyncInferQueue(self._model, threads)

    def run(self, batches: Iterable[TokenBatch]) -> Iterator[tuple[TokenBatch, npt.NDArray[np.float32]]]:
        """See Runner."""
        done: list[tuple[TokenBatch, npt.NDArray[np.float32]]] = []

        def keep(request: Any, batch: TokenBatch) -> None:
            done.append((batch, np.array(request.get_output_tensor(0).data)))

        self._queue.set_callback(keep)
        for batch in batches:
            self._queue.start_async({"ids": batch.ids, "mask": batch.mask}, batch)
        self._queue.wait_all()
        return iter(done)


def choose(weights: Shipped, *, cache: Path, threads: int) -> Runner:
    """The exported encoder, built in `cache` if it is not there yet; else torch, with a word why."""
    if os.environ.get(CHOICE) != "torch" and (folder := exported(weights, cache)) is not None:
        return OpenVinoRunner(folder, threads)
    from nlp.reference import TorchRunner, merged

    return TorchRunner(merged(weights), threads)


def exported(weights: Shipped, cache: Path) -> Path | None:
    """The folder of the exported encoder, built first where it is missing; None if that cannot be done."""
    try:
        version = importlib.metadata.version("openvino")
    except importlib.metadata.PackageNotFoundError:
        log.warning("openvino is not installed: torch reads the texts, several times slower")
        return None
    folder = export.folder_for(weights, cache, version)
    if export.is_whole(folder):
        return folder
    log.info("building the fast encoder in %s: about a minute, only at the first start", folder)
    return folder if _build(weights, folder) else None


def _build(weights: Shipped, folder: Path) -> bool:
    """Export in a process of its own, so that this one never holds torch."""
    root = str(Path(__file__).parents[1])
    known = os.environ.get("PYTHONPATH")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([root, known] if known else [root])}
    command = [sys.executable, "-m", "nlp.export", str(weights.folder.absolute()), str(folder.absolute())]
    try:
        made = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        log.warning("the fast encoder could not be built (%s): torch reads the texts, several times slower", error)
        return False
    if made.returncode or not export.is_whole(folder):
        log.warning(
            "the fast encoder could not be built: torch reads the texts, several times slower\n%s", made.stderr[-2000:]
        )
        return False
    return True
