"""The dashboard as it is really served, and a Chromium that notes every connection it opens."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from core.settings import Dashboard, load
from jobs import service
from tests.dashboard.shown import PAGES
from tests.dashboard.world import PASSWORD, World

CHROMIUM = "/usr/bin/chromium"
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
STARTS_WITHIN = 60.0  # seconds


@contextmanager
def served(world: World) -> Iterator[str]:
    """Streamlit on that world, started as `openear run` starts it; its address."""
    port = _free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENEAR_")}
    environment |= world.environment | service.QUIET | {"PYTHONPATH": str(Path(service.__file__).parents[1])}
    settings = load(world.folder / "openear.toml").model_copy(update={"dashboard": Dashboard(port=port)})
    with (world.folder / "dashboard.log").open("w") as log:
        server = subprocess.Popen(service._streamlit(settings), env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait(port, server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(20)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait(port: int, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < end and server.poll() is None:
        with suppress(OSError), closing(HTTPConnection("127.0.0.1", port, timeout=1)) as connection:
            connection.request("GET", "/_stcore/health")
            connection.getresponse().read()
            return
        time.sleep(0.1)
    raise AssertionError(f"the dashboard did not start (exit code {server.poll()}): see dashboard.log")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        try:
            yield found
        finally:
            found.close()


class Visit:
    """One person's window. `hosts` are all that anything was asked of, sockets included."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.address = address
        self.hosts: set[str] = set()
        self.context: BrowserContext = browser.new_context(
            viewport={"width": 1280, "height": 900}, timezone_id="Asia/Tokyo"
        )
        self.page: Page = self.context.new_page()
        self.page.on("request", lambda request: self._note(request.url))
        self.page.on("websocket", lambda opened: self._note(opened.url))
        self.page.set_default_timeout(30_000)

    def _note(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob"):
            self.hosts.add(parts.netloc)

    def sign_in(self, name: str = "maria", path: str = "/") -> None:
        """Open a page, sign in there, and wait for it."""
        self.page.goto(self.address + path)
        self.page.get_by_label("Name", exact=True).fill(name)
        self.page.get_by_label("Password", exact=True).first.fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.get_by_role("link", name="Sources", exact=True).first.wait_for(state="attached")
        self.settle(urlsplit(path).path.strip("/").capitalize() or "Desk")

    def open(self, name: str, *, width: int = 1280) -> None:
        """Go to a page through the navigation, in a window of that width."""
        self.page.set_viewport_size({"width": width, "height": 900})
        link = self.page.get_by_role("link", name=name.capitalize(), exact=True).first
        link.evaluate("link => link.click()")  # on a narrow screen it is folded away
        self.settle(name.capitalize())

    def settle(self, heading: str) -> None:
        """Wait until the page of that heading is all there."""
        self.page.get_by_role("heading", level=1, name=heading, exact=True).wait_for()
        self.page.wait_for_function(
            "() => !document.querySelector('[data-testid=stStatusWidget], [data-stale=true], [data-testid=stSkeleton]')"
        )
        self.page.wait_for_timeout(250)  # Vega draws after Streamlit is done

    def status_line(self, text: str) -> None:
        """Wait until the status line says so."""
        self.page.get_by_role("status").filter(has_text=text).wait_for()

    def focused(self) -> str:
        """The words of what has the focus."""
        return str(self.page.evaluate("document.activeElement.innerText")).strip()


def each_page(visit: Visit, *, width: int = 1280) -> Iterator[str]:
    """Go through all pages."""
    for name in PAGES:
        visit.open(name, width=width)
        yield name
