import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from collectors.crawl import CrawlStopped, Plan, crawl, scrapy_settings
from tests.collectors.sites import Site, Written, served


@pytest.fixture
def site() -> Iterator[Site]:
    with served(Site(reviews=[Written("Ana", "2026-02-01", "x")])) as running:
        yield running


def plan(site: Site, **more: object) -> Plan:
    values: dict[str, object] = {
        "starts": ((site.url, site.url),),
        "sites": ("127.0.0.1",),
        "user_agent": "openear-test",
        "pages": 3,
        "delay": 0.001,
        "allow": (site.address,),
    }
    return Plan(**{**values, **more})  # type: ignore[arg-type]


def children() -> set[int]:
    return {process.pid for process in psutil.Process().children(recursive=True)}


def test_settings_leave_nothing_on_that_is_not_needed() -> None:
    settings = scrapy_settings({"user_agent": "x", "delay": 1, "allow": [], "sites": [], "proxy": "http://proxy:3128"})
    assert settings["DOWNLOAD_VERIFY_CERTIFICATES"] is True
    assert settings["TELNETCONSOLE_ENABLED"] is False
    assert settings["REMOTE_CONTROL_ENABLED"] is False
    assert settings["ROBOTSTXT_OBEY"] is True
    assert settings["REFERRER_POLICY"] == "no-referrer"
    assert settings["DOWNLOAD_MAXSIZE"] <= 16 * 1024 * 1024
    assert settings["DOWNLOAD_HANDLERS"] == dict.fromkeys(("data", "file", "ftp", "s3"))
    assert settings["OPENEAR_ALLOW"] == ["proxy:3128"]


def test_the_plan_is_not_in_the_list_of_processes(site: Site) -> None:
    seen: list[str] = []

    def look(path: str) -> None:
        seen.extend(" ".join(process.cmdline()) for process in psutil.Process().children())

    site.override = look
    list(crawl(plan(site), seconds=30))
    assert any("collectors.crawl" in line for line in seen)
    assert not any(site.address in line or "openear-test" in line for line in seen)


def test_a_site_that_drips_is_stopped_at_the_deadline(site: Site) -> None:
    done = threading.Event()

    def slow(path: str) -> None:
        if path.startswith("/reviews"):
            done.wait(20)

    site.override = slow
    before, begin = children(), time.monotonic()
    with pytest.raises(CrawlStopped, match="deadline"):
        list(crawl(plan(site), seconds=3))
    done.set()
    assert time.monotonic() - begin < 8
    assert children() <= before


def test_who_stops_listening_stops_the_crawler(site: Site) -> None:
    site.reviews = [Written(f"A{n}", "2026-02-01", f"{n}") for n in range(30)]
    before = children()
    events = crawl(plan(site, pages=10), seconds=30)
    assert "page" in next(events)
    events.close()  # type: ignore[attr-defined]
    assert children() <= before


def test_a_crawler_that_breaks_says_so(site: Site) -> None:
    with pytest.raises(CrawlStopped, match="broke"):
        list(crawl(plan(site, allow=("not a / network",)), seconds=30))


def test_a_redirect_leads_no_further_than_the_sites_named(site: Site) -> None:
    site.override = lambda path: (302, {"location": "http://[::1]:80/"}, b"") if path.startswith("/reviews") else None
    (event,) = crawl(plan(site), seconds=30)
    assert event["failed"]["kind"] == "address"


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f.1", "127.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"]
)
def test_every_way_to_write_this_machine_is_refused(site: Site, host: str) -> None:
    port = site.address.partition(":")[2]
    url = f"http://{host}:{port}/reviews"
    events = list(crawl(plan(site, starts=((url, url),), sites=(host.strip("[]"),), allow=()), seconds=30))
    assert [event["failed"]["kind"] for event in events] == ["address"]
    assert site.asked == []


def test_a_compressed_page_that_grows_beyond_all_bounds_is_refused(site: Site) -> None:
    import gzip

    bomb = gzip.compress(b" " * 64 * 1024 * 1024)
    headers = {"content-encoding": "gzip", "content-type": "text/html"}
    site.override = lambda path: (200, headers, bomb) if path.startswith("/reviews") else None
    (event,) = crawl(plan(site), seconds=30)
    assert "failed" in event


def test_a_plan_survives_the_way_to_the_child(tmp_path: Path) -> None:
    told = json.loads(Plan(starts=(("k", "u"),), sites=("s",), user_agent="x", pages=1, ca_file=tmp_path).told())
    assert told["starts"] == [{"key": "k", "url": "u"}]
