"""What a page shows, as AppTest sees it."""

import re
from datetime import UTC, datetime
from pathlib import Path

from streamlit.testing.v1 import AppTest

from dashboard.words import JOINER
from tests.dashboard.world import World

APP = Path(__file__).parents[2] / "dashboard" / "app.py"
PAGES = ("desk", "cases", "phones", "sentiment", "sources")


def page(world: World, name: str, who: str | None = "maria", **query: str) -> AppTest:
    """A page as that person sees it first."""
    at = AppTest.from_file(APP, default_timeout=60)
    if who is not None:
        at.session_state["sign_in"] = world.sign_in(who, datetime.now(UTC))
    for key, value in query.items():
        at.query_params[key] = value
    if name != "desk":
        at.switch_page(f"views/{name}.py")
    at.run()
    sound(at)
    return at


def sound(at: AppTest) -> None:
    """Nothing went wrong, neither loudly nor behind our own box."""
    assert not at.exception, [each.value for each in at.exception]
    assert not at.error, [each.value for each in at.error]


def press(at: AppTest, label: str) -> AppTest:
    """Press the one button of that name."""
    (button,) = [each for each in at.button if each.label == label]
    button.click().run()
    sound(at)
    return at


def buttons(at: AppTest) -> list[str]:
    return [each.label for each in at.button]


def plain(at: AppTest) -> str:
    """All that is shown as plain text."""
    return "\n".join(each.value for each in at.text)


def read_as_markdown(at: AppTest) -> list[str]:
    """All that Streamlit reads as Markdown: headings, labels, tables, messages."""
    found = [
        each.value for kind in (at.title, at.header, at.subheader, at.markdown, at.info, at.warning) for each in kind
    ]
    widgets = (at.button, at.selectbox, at.multiselect, at.text_input, at.number_input, at.checkbox)
    found += [each.label for kind in widgets for each in kind]
    found += [str(option) for kind in (at.selectbox, at.multiselect) for each in kind for option in each.options]
    found += [str(cell) for table in at.table for cell in table.value.to_numpy().ravel()]
    return [*found, *(each.label for each in at.expander)]


def status_line(at: AppTest) -> str:
    """What the last action did."""
    return " ".join(unescaped(each.value) for each in at.info)


def unescaped(markdown: str) -> str:
    """What a reader sees of escaped text."""
    return re.sub(r"\\(.)", r"\1", markdown.replace(JOINER, ""))
