"""The settings in words: the file `openear init` writes, .env.example and docs/settings.md, all from one place."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from core.settings import Query, Settings, Source

#: dict[str, Section] settings: what stands under each name.
_NAMED: Mapping[str, type[BaseModel]] = {"queries": Query, "sources": Source}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its path, e.g. ("phones", "shrinkage"), default and meaning."""

    path: tuple[str, ...]
    default: Any
    meaning: str
    secret: bool

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return "OPENEAR_" + "__".join(self.path).upper()


def settings_list(model: type[BaseModel] = Settings, trail: tuple[str, ...] = ()) -> Iterator[Setting]:
    """Every setting, in the order of core/settings.py."""
    for name, field in model.model_fields.items():
        if not trail and name in _NAMED:
            yield from settings_list(_NAMED[name], (name, "NAME"))
        elif isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from settings_list(field.annotation, (*trail, name))
        else:
            yield Setting(
                (*trail, name), _default(field), field.description or "", "SecretStr" in str(field.annotation)
            )


def _default(field: FieldInfo) -> Any:
    value = field.get_default(call_default_factory=True)
    return None if value is PydanticUndefined else value


def plain(value: Any) -> Any:
    """A default as a person would write it."""
    if isinstance(value, timedelta):
        seconds = int(value.total_seconds())
        for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
            if seconds and seconds % length == 0:
                return f"{seconds // length}{unit}"
        return f"{seconds}s"
    if isinstance(value, SecretStr):
        return None
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def toml_value(value: Any) -> str:
    """A value in TOML.

    >>> toml_value(("a", "b")), toml_value(True), toml_value({"mon": "08:00-18:00"})
    ('["a", "b"]', 'true', '{mon = "08:00-18:00"}')
    """
    value = plain(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml_value(item)}" for key, item in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def toml_text(chosen: Mapping[str, Any]) -> str:
    """A commented openear.toml: what was chosen is set, everything else stands as a comment with its default."""
    lines = ["# openear settings. Lines that begin with # show the default. Secrets belong in the environment."]
    section: tuple[str, ...] = ()
    for setting in settings_list():
        if setting.path[0] in _NAMED:
            continue
        if setting.path[:-1] != section:
            section = setting.path[:-1]
            lines += ["", f"[{'.'.join(section)}]"]
        value = _chosen(chosen, setting.path)
        lines.append(f"# {setting.meaning}")
        if setting.secret:
            lines.append(f"# environment only: {setting.variable}")
        elif value is None:
            lines.append(
                f"# {setting.path[-1]} = {toml_value(setting.default) if setting.default is not None else '...'}"
            )
        else:
            lines.append(f"{setting.path[-1]} = {toml_value(value)}")
    for group in _NAMED:
        for name, values in dict(chosen.get(group, {})).items():
            lines += ["", f"[{group}.{name}]"] + [f"{key} = {toml_value(value)}" for key, value in values.items()]
    return "\n".join(lines) + "\n"


def _chosen(chosen: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = chosen
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def env_text() -> str:
    """What .env.example holds."""
    head = "# Every setting as an environment variable. Put secrets here (or one file each in $OPENEAR_SECRETS_DIR).\n"
    rows = []
    for setting in settings_list():
        value = (
            "" if setting.default is None or setting.secret else json.dumps(plain(setting.default), ensure_ascii=False)
        )
        rows.append(f"# {setting.meaning}\n#{setting.variable}={value.strip(chr(34))}")
    return head + "\n" + "\n".join(rows) + "\n"


def markdown_text() -> str:
    """What docs/settings.md holds."""
    head = (
        "# Settings\n\nIn `openear.toml` (see `openear init`) or in the environment; the environment wins. "
        "Secrets only from the environment or from files in `$OPENEAR_SECRETS_DIR`. Made by `make docs`.\n\n"
        "| setting | environment | default | meaning |\n|---|---|---|---|\n"
    )
    rows = []
    for setting in settings_list():
        default = "secret" if setting.secret else f"`{toml_value(setting.default)}`"
        rows.append(f"| `{'.'.join(setting.path)}` | `{setting.variable}` | {default} | {setting.meaning} |")
    return head + "\n".join(rows) + "\n"


if __name__ == "__main__":
    root = Path(__file__).parents[1]
    (root / ".env.example").write_text(env_text(), "utf-8")
    (root / "docs" / "settings.md").write_text(markdown_text(), "utf-8")
