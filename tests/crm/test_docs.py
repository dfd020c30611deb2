from core.case import Rule
from forecast.calls_rows import COLUMNS
from tests.conftest import ROOT


def test_every_rule_is_in_the_docs() -> None:
    text = (ROOT / "docs" / "linking.md").read_text("utf-8")
    assert not [rule for rule in Rule if rule is not Rule.PERSON and f"| `{rule}` |" not in text]


def test_every_column_of_call_files_is_in_the_docs() -> None:
    text = (ROOT / "docs" / "api.md").read_text("utf-8")
    assert not [name for ours, names in COLUMNS.items() for name in (ours, *names) if name not in text]
