"""Builds the int8 encoder that the scoring process runs: `python -m nlp.export WEIGHTS TARGET`.

Static quantisation (NNCF, transformer mode): the ranges are fixed here once, on texts we wrote, so a text's score
cannot depend on its neighbours. Runs in a process of its own, because it needs torch and the scorer must not.
"""

import argparse
import hashlib
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nlp import quiet, shipped

FILES = ("encoder.xml", "encoder.bin")
DIGESTS = "sha256"
#: Raise it when the graph or its quantisation changes: exports of older kinds are then built anew.
KIND = 1
CALIBRATION = 300
LEAST_LIKENESS = 0.97  # cosine between int8 and float features, in the middle; below, torch is used


def folder_for(weights: shipped.Shipped, cache: Path, runtime: str) -> Path:
    """Where the export of these weights for this version of OpenVINO is kept."""
    return cache / f"encoder-{weights.revision}-{KIND}-{runtime.split('-')[0]}"


def is_whole(folder: Path) -> bool:
    """True if an export is there and its files are those that were written."""
    listed = folder / DIGESTS
    if not listed.is_file():
        return False
    lines = listed.read_text("utf-8").splitlines()
    expected = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    return set(expected) == set(FILES) and all(
        (folder / name).is_file() and _digest(folder / name) == expected[name] for name in FILES
    )


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def build(weights: shipped.Shipped, target: Path) -> None:
    """Merge, quantise and write the encoder; the folder appears whole or not at all.

    Raises:
        RuntimeError: int8 differs too much from float on this machine.
    """
    quiet.hush()
    import openvino

    target.parent.mkdir(parents=True, exist_ok=True)
    made, likeness = _quantised(weights)
    if likeness < LEAST_LIKENESS:
        raise RuntimeError(f"int8 features differ from float: cosine {likeness:.3f}, at least {LEAST_LIKENESS} needed")
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        fresh = Path(scratch) / target.name
        fresh.mkdir()
        openvino.save_model(made, fresh / FILES[0], compress_to_fp16=True)
        lines = (f"{_digest(fresh / name)}  {name}" for name in FILES)
        (fresh / DIGESTS).write_text("\n".join(lines) + "\n", "utf-8")
        if target.exists() and not is_whole(target):
            shutil.rmtree(target)
        if not target.exists():
            fresh.rename(target)


def _quantised(weights: shipped.Shipped) -> tuple[object, float]:
    """The int8 model, and the median cosine of its features to those of torch."""
    import nncf
    import openvino
    import torch

    from nlp.reference import merged

    nncf.set_log_level(40)
    trunk, rows = merged(weights), _calibration_rows()
    sample = {"ids": torch.tensor([rows[0]]), "mask": torch.ones(1, len(rows[0]), dtype=torch.int64)}
    plain = openvino.convert_model(trunk, example_input=sample)
    for name, port in zip(("ids", "mask"), plain.inputs, strict=True):
        port.get_node().set_friendly_name(name)
        port.tensor.set_names({name})
        port.get_node().set_partial_shape(openvino.PartialShape([-1, -1]))
    plain.validate_nodes_and_infer_types()
    inputs = [{"ids": np.array([row]), "mask": np.ones((1, len(row)), dtype=np.int64)} for row in rows]
    made = nncf.quantize(
        plain,
        nncf.Dataset(inputs),
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=CALIBRATION,
        fast_bias_correction=True,
    )
    compiled = openvino.Core().compile_model(made, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    likeness = []
    for row in inputs[:40]:
        with torch.inference_mode():
            wanted = trunk(*(torch.from_numpy(row[name]) for name in ("ids", "mask")))[0].numpy()
        likeness.append(_cosine(compiled(row)[0][0], wanted))
    return made, float(np.median(likeness))


def _cosine(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def _calibration_rows() -> list[list[int]]:
    """Windows of texts we wrote ourselves: they are there wherever the program is."""
    import tomllib

    from nlp import base, data, descriptions
    from nlp.tokens import load_tokenizer, windows

    own = data.needs_rows()
    texts = list(own[own["part"] == "train"]["text"])
    for section in tomllib.loads(descriptions.FILE.read_text("utf-8")).values():
        texts += section.get("describes", [])
    step = max(1, len(texts) // CALIBRATION)
    found = windows(load_tokenizer(base.locate().tokenizer), texts[::step][:CALIBRATION])
    return [parts[0] for parts in found]


def main() -> int:
    """Build an export; 1 if it cannot be built here."""
    parser = argparse.ArgumentParser(prog="python -m nlp.export", description=__doc__)
    parser.add_argument("weights", type=Path, help="folder of the weights")
    parser.add_argument("target", type=Path, help="folder to write")
    given = parser.parse_args()
    try:
        build(shipped.load(given.weights), given.target)
    except (ImportError, RuntimeError) as error:
        sys.stderr.write(f"the encoder was not exported: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
