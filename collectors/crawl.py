"""Runs one spider in a process of its own and yields what it tells, a JSON line at a time.

A crawler owns its event loop and its process: here is the only place that starts one. The plan goes over stdin, so
that nothing of it is in the list of processes; the child is killed at the deadline.
`python -m collectors.crawl` is the child.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from collectors import child

MOST_LINE = 32 * 1024 * 1024
MOST_BYTES = 16 * 1024 * 1024
_LEAST_SECONDS = 1.0


class CrawlStopped(Exception):
    """The crawl ended before it was done: at the deadline, or because it broke. Its text says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a spider is to do.

    Attributes:
        starts: (key of the list, page to begin with).
        known: ids of reviews after which a list need not be followed further.
        since: epoch seconds; a page with older reviews alone is the last.
        pages: most pages in all.
        delay: least seconds between two pages of one site; robots.txt may ask for more.
        sites: hosts that may be asked, redirects included.
        allow: private targets that may be asked all the same (settings.network.allow).
    """

    starts: tuple[tuple[str, str], ...]
    sites: tuple[str, ...]
    user_agent: str
    pages: int
    known: tuple[str, ...] = ()
    since: float | None = None
    delay: float = 2.0
    allow: tuple[str, ...] = ()
    proxy: str | None = None
    ca_file: Path | None = None

    def told(self) -> bytes:
        """The plan as the child reads it."""
        told = asdict(self) | {"ca_file": None, "starts": [{"key": key, "url": url} for key, url in self.starts]}
        return json.dumps(told).encode()


def crawl(plan: Plan, *, seconds: float) -> Iterator[dict[str, Any]]:
    """Yield the spider's events: {"page": ...} or {"failed": ...}.

    Raises:
        CrawlStopped: after the events that did arrive.
    """
    environment = dict(child.ENVIRONMENT)
    if plan.ca_file:
        environment["SSL_CERT_FILE"] = str(plan.ca_file)
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "collectors.crawl"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            cwd="/",
        )
        in_time = True

        def stop() -> None:
            nonlocal in_time
            in_time = False
            process.kill()

        late = threading.Timer(max(seconds, _LEAST_SECONDS), stop)
        late.start()
        done = False
        try:
            for event in _events(process, plan):
                done = done or "done" in event
                if not done:
                    yield event
            process.wait()
        finally:
            late.cancel()
            process.kill()
            _close(process)
        errors.seek(0)
        _raise_if_broken(process.returncode, errors.read(100_000), done=done, in_time=in_time)


def _close(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
    process.wait()


def _events(process: subprocess.Popen[bytes], plan: Plan) -> Iterator[dict[str, Any]]:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(plan.told())
        process.stdin.close()
    except BrokenPipeError:
        return
    while line := process.stdout.readline(MOST_LINE):
        if not line.endswith(b"\n"):
            return  # cut off: the deadline came while it was told
        yield json.loads(line)


def _raise_if_broken(status: int, errors: bytes, *, done: bool, in_time: bool) -> None:
    if status == 0 and done:
        return
    if not in_time:
        raise CrawlStopped("stopped at the deadline")
    lines = errors.decode("utf-8", "replace").strip().splitlines() or [f"status {status}"]
    raise CrawlStopped(f"the crawler broke: {lines[-1][:200]}")


def scrapy_settings(plan: dict[str, Any]) -> dict[str, Any]:
    """Scrapy's settings: nothing is on that a reader of web pages does not need."""
    allow = list(plan["allow"])
    if plan["proxy"]:
        proxy = urlsplit(plan["proxy"])
        allow.append(f"{proxy.hostname}:{proxy.port or 80}")
    return {
        "USER_AGENT": plan["user_agent"],
        "ROBOTSTXT_OBEY": True,
        "ROBOTSTXT_USER_AGENT": plan["user_agent"],
        "DOWNLOAD_DELAY": plan["delay"],
        "CONCURRENT_REQUESTS": 4,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        "DOWNLOAD_TIMEOUT": 30,
        "DOWNLOAD_MAXSIZE": MOST_BYTES,
        "DOWNLOAD_WARNSIZE": 0,
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "DOWNLOAD_HANDLERS": {"data": None, "file": None, "ftp": None, "s3": None},
        "TWISTED_DNS_RESOLVER": "collectors.spiders.guard.CheckedResolver",
        "DOWNLOADER_MIDDLEWARES": {
            "collectors.spiders.guard.CheckedAddress": 10,
            "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
            "collectors.spiders.guard.StrictRobots": 100,
        },
        "OPENEAR_ALLOW": allow,
        "OPENEAR_SITES": list(plan["sites"]),
        "REDIRECT_MAX_TIMES": 5,
        "METAREFRESH_ENABLED": False,
        "RETRY_TIMES": 1,
        "REFERRER_POLICY": "no-referrer",
        "REFERER_ENABLED": False,
        "COOKIES_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
        "HTTPPROXY_ENABLED": bool(plan["proxy"]),
        "LOG_LEVEL": "ERROR",
    }


def main() -> None:
    """The child: read the plan from stdin, crawl, tell on stdout."""
    child.limit(megabytes=2048, seconds=300)
    plan = json.loads(sys.stdin.buffer.read())
    if plan["proxy"]:
        os.environ["http_proxy"] = os.environ["https_proxy"] = plan["proxy"]
    from scrapy.crawler import CrawlerProcess

    from collectors.spiders.reviews import ReviewsSpider

    process = CrawlerProcess(scrapy_settings(plan), install_root_handler=True)
    process.crawl(ReviewsSpider, plan=plan)
    process.start()


if __name__ == "__main__":
    main()
