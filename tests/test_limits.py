"""Limits that hold the code together."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

FOLDERS = ("core", "net", "collectors", "nlp", "crm", "forecast", "storage", "jobs", "dashboard", "api", "sample")
MODULES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
CORE = {
    *("__init__", "actor", "batch", "case", "errors", "mention", "protocols", "scores", "series", "settings"),
}
#: Names that would say how many people listen to somebody. Every resident is equal.
INFLUENCE = {"follower", "followers", "reach", "influence", "influencer", "karma", "verified", "vip", "popularity"}


def test_core_is_closed() -> None:
    assert {path.stem for path in (ROOT / "core").glob("*.py")} == CORE


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_is_long(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 400


def test_no_name_speaks_of_influence() -> None:
    found = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", getattr(node, "arg", ""))
            if isinstance(name, str) and INFLUENCE & set(name.lower().split("_")):
                found.append(f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)} {name}")
    assert found == []


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(' '.join(sorted({{m.split('.')[0] for m in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


def test_collecting_loads_no_model() -> None:
    heavy = {"torch", "transformers", "openvino", "nncf", "streamlit", "lightgbm", "celery", "psycopg"}
    assert loaded_by("import jobs.collect") & heavy == set()


def test_help_is_quick() -> None:
    heavy = {"torch", "transformers", "openvino", "streamlit", "sqlmodel", "scrapy", "pandas"}
    assert loaded_by("import jobs.cli") & heavy == set()


def test_core_does_no_io() -> None:
    assert loaded_by("import core.protocols, core.errors") & {"httpx", "sqlalchemy", "torch"} == set()


def test_no_cuda_build_of_torch_came_in() -> None:
    import torch

    assert torch.version.cuda is None
    assert not torch.cuda.is_available()
