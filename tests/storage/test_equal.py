"""Equal treatment: nothing that we keep says how loud somebody is."""

import re

import pytest
from sqlalchemy import Table

from storage.tables import metadata

LOUD = re.compile(r"follow|verif|reach|influen|karma|subscriber|friend|popular|like|favou?r|fans|rank|klout|badge|vip")


@pytest.mark.parametrize("table", metadata.tables.values(), ids=lambda t: t.name)
def test_no_column_says_how_loud_somebody_is(table: Table) -> None:
    assert [c.name for c in table.c if LOUD.search(c.name.lower())] == []


def test_the_test_would_notice() -> None:
    assert all(LOUD.search(name) for name in ("follower_count", "is_verified", "reach", "influence", "karma", "likes"))
    assert not any(LOUD.search(name) for name in ("text", "reposts", "urgency", "author"))
