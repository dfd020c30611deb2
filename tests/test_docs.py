"""Docs are read by tests: what exists is named in them, and what they name exists."""

import re
from collections.abc import Iterator
from typing import Any

import typer

from collectors.registry import KINDS
from jobs.cli import app
from jobs.settings_text import markdown_text
from tests.conftest import ROOT


def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def commands(group: Any, *trail: str) -> Iterator[str]:
    if hasattr(group, "commands"):
        for name, command in group.commands.items():
            yield from commands(command, *trail, name)
    else:
        yield " ".join(trail)


def test_every_command_is_in_the_docs() -> None:
    docs = text("docs/commands.md")
    assert len(list(commands(typer.main.get_command(app), "openear"))) >= 20
    missing = [name for name in commands(typer.main.get_command(app), "openear") if f"`{name}" not in docs]
    assert missing == []


def test_every_command_of_the_docs_exists() -> None:
    known = set(commands(typer.main.get_command(app), "openear"))
    named = re.findall(r"^\| `(openear(?: [a-z]+)+)", text("docs/commands.md"), flags=re.MULTILINE)
    assert len(named) >= 20
    assert [name for name in named if not any(f"{name} ".startswith(f"{each} ") for each in known)] == []


def test_every_setting_is_in_the_docs() -> None:
    assert text("docs/settings.md") == markdown_text(), "run: python -m jobs.settings_text"


def test_every_source_has_its_page_and_its_row() -> None:
    for kind in KINDS:
        page = text(f"docs/sources/{kind}.md").lower()
        for word in ("what it reads", "limits", "terms", "deletion"):
            assert word in page, f"docs/sources/{kind}.md says nothing about: {word}"
        assert f"docs/sources/{kind}.md" in text("README.md"), f"README.md has no row for {kind}"


def test_every_page_is_in_the_docs() -> None:
    docs = text("docs/pages.md")
    for path in (ROOT / "dashboard" / "views").glob("*.py"):
        assert path.stem.capitalize() in docs, f"docs/pages.md does not name {path.stem}"


def test_every_path_the_readme_names_exists() -> None:
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", text("README.md")):
        assert (ROOT / link).exists(), f"README.md links to {link}, which is not there"


def test_the_readme_names_the_two_commands_a_newcomer_needs() -> None:
    assert "make run" in text("README.md")
    assert "make test" in text("README.md")
