"""How every table is made: names of constraints, ids, long text, JSON, partial indexes."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Integer, Text, text
from sqlmodel import Field, SQLModel

#: Grows past 2 billion on PostgreSQL; SQLite numbers rows by itself only in a plain INTEGER.
BIGINT = BigInteger().with_variant(Integer(), "sqlite")

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def row_id() -> Any:
    """A BIGINT key that the database numbers."""
    return Field(default=None, primary_key=True, sa_type=BIGINT)


def ref(target: str, **kwargs: Any) -> Any:
    """A BIGINT that names a row of another table."""
    return Field(foreign_key=target, sa_type=BIGINT, **kwargs)


def long_text(**kwargs: Any) -> Any:
    """Text without a limit."""
    return Field(sa_type=Text, **kwargs)


def json(**kwargs: Any) -> Any:
    """Plain values, as JSON."""
    return Field(sa_type=JSON, **kwargs)


def partial(name: str, *columns: str, where: str) -> Index:
    """An index of only the rows for which `where` holds: a condition, or the name of a boolean column.

    SQLite uses it only where the query says the same words, and a boolean is asked for as "= 1" there.
    """
    sqlite = f"{where} = 1" if where.isidentifier() else where
    return Index(name, *columns, sqlite_where=text(sqlite), postgresql_where=text(where))
