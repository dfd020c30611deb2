"""The pages as people meet them: in a real browser, by keyboard, on a narrow screen, checked with axe-core."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from dashboard.words import JOINER
from tests.conftest import missing
from tests.dashboard import world
from tests.dashboard.browser import CHROMIUM, Visit, chromium, each_page, served
from tests.dashboard.texts import HOSTILE
from tests.dashboard.world import HOSTILE_TITLE, World

pytestmark = pytest.mark.chromium

RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],
}
#: Texts that are cut or reach past the right edge of the window.
CUT_OFF = """() => [...document.querySelectorAll(
    'h1, h2, h3, [data-testid=stText], [data-testid=stMain] button, [data-testid=stMetricLabel]')]
  .filter(e => e.getBoundingClientRect().width && e.getBoundingClientRect().right > window.innerWidth + 1)
  .map(e => e.innerText.slice(0, 80))"""
SIDEWAYS = """() => { const main = document.querySelector('[data-testid=stMain]');
  return [main.scrollWidth - main.clientWidth, document.documentElement.scrollWidth - window.innerWidth] }"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        missing("chromium", f"no {CHROMIUM}: apt-get install chromium")
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def full_address(browser: Browser, full_template: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    yield from _address(full_template, tmp_path_factory)


@pytest.fixture(scope="module")
def empty_address(browser: Browser, empty_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    yield from _address(world.opened(empty_template), tmp_path_factory)


def _address(template: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("served")
    shutil.copytree(template.folder, folder, dirs_exist_ok=True)
    with served(World(folder, template.store, template.ids, template.cases)) as address:
        yield address


@pytest.fixture(scope="module")
def visit(browser: Browser, full_address: str) -> Iterator[Visit]:
    """A manager's window on the full database; signing in costs seconds, so all tests share it."""
    opened = Visit(browser, full_address)
    opened.sign_in("max")
    yield opened
    opened.context.close()


def violations(visit: Visit) -> list[tuple[str, str]]:
    found: Any = Axe().run(visit.page, options=RULES)
    return [(v["id"], node["html"][:200]) for v in found.response["violations"] for node in v["nodes"]]


def alone(visit: Visit) -> bool:
    """Nobody but the server under test was asked for anything."""
    return visit.hosts == {visit.address.removeprefix("http://")}


def test_axe_finds_nothing_and_nobody_else_is_asked(visit: Visit) -> None:
    for name in each_page(visit):
        visit.page.evaluate("document.querySelectorAll('main details > summary').forEach(folded => folded.click())")
        visit.page.wait_for_timeout(300)
        assert violations(visit) == [], name
        assert visit.page.title() == f"{name.capitalize()} – openear"
        assert visit.page.locator("[data-testid=stMain] img, [data-testid=stMain] iframe").count() == 0, name
    assert alone(visit)


def test_axe_finds_nothing_on_the_empty_pages(browser: Browser, empty_address: str) -> None:
    visit = Visit(browser, empty_address)
    visit.sign_in()
    for name in each_page(visit):
        assert violations(visit) == [], name
    assert alone(visit)
    visit.context.close()


def test_axe_finds_nothing_in_an_open_form_and_an_open_case(visit: Visit) -> None:
    visit.open("desk")
    visit.page.get_by_role("button", name="Correct or link mention").first.click()
    visit.page.get_by_role("button", name="Save mention").wait_for()
    assert violations(visit) == []
    visit.page.get_by_role("button", name="Close the form").click()
    visit.open("cases")
    visit.page.get_by_role("button", name="Open case").first.click()
    visit.page.get_by_role("button", name="Save case").wait_for()
    assert violations(visit) == []


def test_the_desk_works_by_keyboard_alone(visit: Visit) -> None:
    visit.open("sources")
    visit.open("desk")
    visit.page.locator("body").press("Home")
    for _ in range(40):
        visit.page.keyboard.press("Tab")
        if visit.focused().startswith("Mark mention"):
            break
    mark = visit.focused()
    assert mark.startswith("Mark mention"), "the first mention's button is within 40 tabs"
    number = mark.split()[2]
    visit.page.keyboard.press("Enter")
    visit.status_line(f"Mention {number} is marked answered")
    visit.settle("Desk")
    assert visit.focused() == f"Undo: mention {number} is not answered"
    visit.page.keyboard.press("Enter")
    visit.status_line(f"Mention {number} waits for an answer again")
    visit.settle("Desk")
    assert visit.focused() == mark


def test_what_residents_wrote_is_text_in_the_browser(visit: Visit) -> None:
    visit.open("desk")
    visit.page.get_by_label("Order", exact=False).first.click()
    visit.page.get_by_role("option", name="Newest first").click()
    for name in ("img", "script", "picture", "link", "icon", "latex"):
        visit.page.get_by_text(HOSTILE[name], exact=True).wait_for()
    assert visit.page.locator("[data-testid=stMain] img").count() == 0
    visit.open("cases")
    assert any(HOSTILE_TITLE in each.replace(JOINER, "") for each in visit.page.locator("h3").all_inner_texts())
    assert visit.page.locator("[data-testid=stMain] a").count() == 0
    assert visit.page.title() == "Cases – openear"
    assert alone(visit)


@pytest.mark.parametrize("width", [320, 640])
def test_nothing_is_cut_off_on_a_narrow_screen_or_enlarged(visit: Visit, width: int) -> None:
    for name in each_page(visit, width=width):  # 640 is 1280 at 200 %, 320 is 1280 at 400 %
        assert visit.page.evaluate(CUT_OFF) == [], name
        assert max(visit.page.evaluate(SIDEWAYS)) <= 0, name


def test_an_address_without_signing_in_shows_the_sign_in_alone(browser: Browser, full_address: str) -> None:
    visit = Visit(browser, full_address)
    visit.page.goto(f"{full_address}/cases")
    visit.page.get_by_role("button", name="Sign in").wait_for()
    assert visit.page.locator("h1").all_inner_texts() == ["Sign in to openear"]
    assert visit.page.title() == "Sign in – openear"
    assert visit.page.locator("[data-testid=stSidebarNavLink]").count() == 0
    assert "M-" not in visit.page.locator("body").inner_text()
    assert violations(visit) == []
    visit.sign_in(path="/cases")
    assert visit.page.title() == "Cases – openear"
    visit.context.close()
