"""All measurements, one after the other: `make bench`, or `make bench ARGS=--full` for the long ones too.

They never fail on time: they print figures, each pair from one run, for a person to compare.
"""

import argparse
import os
import platform
import subprocess
import sys
import time

QUICK = (
    ("Collect and store", ("benchmarks.collect",)),
    ("Scoring", ("benchmarks.scoring",)),
    ("The whole flow", ("benchmarks.flow",)),
    ("Start, memory, size", ("benchmarks.start",)),
    ("Pages, 200,000 mentions", ("benchmarks.storage", "--rows", "200000")),
    ("Forecasts, cost", ("benchmarks.forecast", "cost")),
)
LONG = (
    ("Pages, 1,000,000 mentions", ("benchmarks.storage", "--rows", "1000000")),
    ("kill -9, twelve times, 20,000 mentions", ("benchmarks.crash",)),
    ("Forecasts, quality", ("benchmarks.forecast", "quality")),
)


def main() -> int:
    """Run them; 1 if one could not be run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="the long ones too: about an hour")
    parser.add_argument("--only", help="those whose name has this word")
    chosen = parser.parse_args()
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    print(f"{machine}, Python {platform.python_version()}")
    failed = 0
    for title, command in QUICK + (LONG if chosen.full else ()):
        if chosen.only and chosen.only.casefold() not in title.casefold():
            continue
        print(f"\n== {title}  (python -m {' '.join(command)})", flush=True)
        began = time.monotonic()
        ended = subprocess.run((sys.executable, "-m", *command), check=False)
        print(f"-- {time.monotonic() - began:.0f} s" + (f", exit code {ended.returncode}" if ended.returncode else ""))
        failed += ended.returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
