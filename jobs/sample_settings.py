"""The settings of the sample run."""

import os
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.settings import SECRET_KEYS
from jobs.settings_text import toml_text
from sample import city

PORT = city.PORT


def sample_settings(folder: Path) -> Path:
    """Write the sample's settings; return the file. Its secrets, worthless anywhere else, go to the environment.

    The story is laid around the day of its first run; on another day it is told anew.
    """
    anchor = folder / "anchor"
    today = datetime.now(UTC).date().isoformat()
    if anchor.exists() and not anchor.read_text("utf-8").startswith(today):
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not anchor.exists():
        anchor.write_text(datetime.now(UTC).isoformat(timespec="seconds"), "utf-8")
    values = without_secrets(city.settings(PORT)) | {"data_dir": folder}
    year = datetime.now(UTC).year
    closed = sorted(day.isoformat() for each in range(year - 2, year + 2) for day in city.closed_days(each))
    values["agency"] = values["agency"] | {"closed_days": closed}
    file = folder / "openear.toml"
    file.write_text(toml_text(values), "utf-8")
    return file


def without_secrets(values: Mapping[str, Any], *trail: str) -> dict[str, Any]:
    """The values a settings file may hold; secrets are put into this process's environment."""
    kept: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            kept[key] = without_secrets(value, *trail, key)
        elif key in SECRET_KEYS:
            os.environ["OPENEAR_" + "__".join((*trail, key)).upper()] = str(value)
        else:
            kept[key] = value
    return kept
