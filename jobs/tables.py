"""Rows as a table on a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table


def print_rows(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows of one shape; text from outside stays text."""
    console = Console()
    if not rows:
        console.print(f"{escape(title)}: none")
        return
    table = Table(title=escape(title))
    for name in rows[0]:
        table.add_column(escape(name), overflow="fold")
    for row in rows:
        table.add_row(*(escape("" if value is None else str(value)) for value in row.values()))
    console.print(table)
