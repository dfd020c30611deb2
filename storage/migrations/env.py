"""Run by alembic: migrates over the connection it is given in config.attributes, and opens none of its own."""

from typing import Any

from alembic import context

from storage.partitions import is_partition
from storage.tables import metadata

#: Made by hand in the first migration, unknown to the models: the search index and its parts.
SEARCH = "mention_search"


def include(_object: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
    """False for what the models need not know."""
    if kind == "table":
        return not is_partition(name) and not str(name).startswith(SEARCH)
    return name not in ("search", "ix_mention_search")


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_object=include,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
