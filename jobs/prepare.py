"""What must be done before the service starts: `python -m jobs.prepare`. Apart, so that its memory is given back."""

import sys

from core.errors import OpenearError
from core.settings import load
from jobs.build import open_runtime


def main() -> int:
    """Bring the database up to date; tell the sample city's beginning. The exit code."""
    try:
        settings = load()
        runtime = open_runtime(settings, migrate=True)
        if settings.sample:
            from jobs.sample_city import prepare

            prepare(runtime)
        runtime.store.close()
    except OpenearError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
