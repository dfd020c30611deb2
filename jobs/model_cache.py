"""Where the exported encoder is kept: beside the installation, so that every data folder shares it.

`python -m jobs.model_cache` builds it, as `make run` does once while it sets up.
"""

import os
import sys
from pathlib import Path

from core.settings import Settings, load
from jobs.logs import set_up


def model_cache(settings: Settings) -> Path:
    """The folder beside the installation; the data folder where that may not be written."""
    beside = Path(sys.prefix) / "share" / "openear" / "model"
    nearest = next(each for each in (beside, *beside.parents) if each.exists())
    return beside if os.access(nearest, os.W_OK) else settings.data_dir / "model"


def main() -> int:
    """Build the exported encoder if it is not there; without it openear reads with torch, several times slower."""
    from nlp.classifier import load as load_classifier

    set_up()
    settings = load()
    load_classifier(
        settings.model.folder, threads=settings.model.threads, cache=model_cache(settings), agency=settings.agency
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
