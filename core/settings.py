"""Settings: one openear.toml, every value also from the environment, secrets never from the file."""

import os
import re
import tomllib
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from core.errors import SettingsError

SECRET_KEYS = frozenset({"token", "password", "secret", "key", "smtp_password", "webhook_secret", "calls_secret"})
_UNITS = {"s": 1, "sec": 1, "min": 60, "m": 60, "h": 3600, "d": 86400, "day": 86400, "w": 604800}


def duration(value: object) -> object:
    """Read "15min", "2h", "7d", "80s" as a timedelta; leave anything else to pydantic.

    >>> duration("30min")
    datetime.timedelta(seconds=1800)
    """
    if isinstance(value, str) and (found := re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+?)s?\s*", value.lower())):
        number, unit = found.groups()
        unit = unit or "s"
        if unit in _UNITS:
            return timedelta(seconds=float(number) * _UNITS[unit])
    return value


Duration = Annotated[timedelta, BeforeValidator(duration)]


class Section(BaseModel):
    """A part of the settings; an unknown name is an error, not a silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Agency(Section):
    """Whom the mentions are about."""

    names: tuple[str, ...] = Field((), description="what residents call the agency, e.g. 'City of Maple Harbor'")
    handles: tuple[str, ...] = Field((), description="the agency's own accounts: their posts are never cases")
    places: tuple[str, ...] = Field((), description="words that say it is this Springfield and not another")
    languages: tuple[str, ...] = Field(("en", "es"), description="languages staff can answer in")
    timezone: str = Field("America/New_York", description="IANA name; all pages show local time")
    country: str = Field("US", description="ISO code, for public holidays")
    subdivision: str | None = Field(None, description="state or province code, for public holidays")
    hours: dict[str, str] = Field(
        default_factory=lambda: dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "08:00-18:00"),
        description="opening hours of the phones by weekday; a day left out is closed",
    )

    closed_days: tuple[str, ...] = Field((), description="days on which nobody answers beside holidays, YYYY-MM-DD")
    contacts: tuple[str, ...] = Field((), description="the agency's own phones and e-mail addresses: never masked")

    @field_validator("closed_days")
    @classmethod
    def _real_days(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for day in value:
            date.fromisoformat(day)
        return value

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"no time zone is called {value!r}; use a name such as 'America/Chicago'")
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The time zone itself."""
        return ZoneInfo(self.timezone)


class Query(Section):
    """What counts as a mention."""

    text: str = Field(description='for example: "maple harbor" OR @mapleharbor')
    exclude: tuple[str, ...] = Field((), description="phrases that never count: job ads, another city")


class Source(BaseModel):
    """One source. What else its kind needs stands beside these; the kind's own file checks it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: str = Field(description="mastodon, bluesky, feed, reviews_page, folder")
    enabled: bool = Field(True, description="false keeps its mentions and stops asking")
    every: Duration = Field(timedelta(minutes=5), description="how often it is asked")
    requests: int = Field(60, gt=0, description="most requests in one run")
    query: str | None = Field(None, description="a name under [queries] that all must match; none: all counts")
    username: str | None = Field(None, description="the account, where one is needed")
    token: SecretStr | None = Field(None, description="environment only")
    password: SecretStr | None = Field(None, description="environment only")
    secret: SecretStr | None = Field(None, description="environment only")

    @property
    def options(self) -> dict[str, Any]:
        """What only this kind knows."""
        return dict(self.model_extra or {})


class Cases(Section):
    """Where cases go."""

    system: str = Field("native", description="native keeps cases here")
    join_days: int = Field(7, ge=0, description="public posts of one author on one topic join within these days")
    private_days: int = Field(30, ge=0, description="the same for private channels")
    first_answer: Duration = Field(timedelta(hours=8), description="opening hours until the first answer is due")
    threshold: float = Field(0.5, ge=0, le=1, description="needs-an-answer from this chance on opens a case")


class Retention(Section):
    """How long things are kept. Legal hold wins."""

    mentions_days: int = Field(1095, gt=0, description="text and author go so many days after we got them; counts stay")
    pseudonym_days: int = Field(90, gt=0, description="the key of pseudonyms is changed this often")


class Alerts(Section):
    """Who is told at once when somebody may come to harm."""

    email_to: tuple[str, ...] = Field((), description="addresses")
    email_from: str = Field("openear@localhost", description="sender")
    smtp_host: str | None = Field(None, description="mail server; none: no mail")
    smtp_port: int = Field(25, description="mail server's port")
    smtp_starttls: bool = Field(True, description="never switch this off outside one machine")
    smtp_username: str | None = Field(None, description="if the server asks")
    smtp_password: SecretStr | None = Field(None, description="environment only")
    webhook_url: str | None = Field(None, description="receives a signed POST")
    webhook_secret: SecretStr | None = Field(None, description="environment only; signs the POST")
    safety_threshold: float = Field(0.7, ge=0, le=1, description="chance of harm from which a person is told")


class Phones(Section):
    """Calls and how they are staffed."""

    folder: Path | None = Field(None, description="call files dropped here are imported")
    calls_secret: SecretStr | None = Field(None, description="environment only; signs POST /calls")
    handle_time: Duration = Field(timedelta(seconds=300), description="used where a file names none")
    target_share: float = Field(0.8, gt=0, lt=1, description="share of calls answered ...")
    target_wait: Duration = Field(timedelta(seconds=20), description="... within this wait")
    shrinkage: float = Field(0.3, ge=0, lt=1, description="paid time not on the phones")
    max_occupancy: float = Field(0.85, gt=0, le=1, description="share of the time an agent may be busy")
    patience: Duration = Field(timedelta(minutes=2), description="mean wait after which callers give up")
    spike_ratio: float = Field(1.25, gt=1, description="a spike is this many times the usual")


class Network(Section):
    """The way out."""

    proxy: str | None = Field(None, description="outgoing proxy, http://host:port")
    ca_file: Path | None = Field(None, description="private certificate authority, PEM")
    allow: tuple[str, ...] = Field((), description="private hosts or networks that may be asked all the same")
    user_agent: str = Field("openear/0.1 (+https://github.com/openear/openear)", description="how we name ourselves")


class Model(Section):
    """The classifier."""

    threads: int = Field(2, ge=1, description="threads of the scoring process")
    folder: Path | None = Field(None, description="other weights than those that ship")


class Api(Section):
    """The door for other machines: calls in, health out."""

    enabled: bool = Field(True, description="false starts no api process")
    host: str = Field("127.0.0.1", description="address it listens on")
    port: int = Field(8600, description="port it listens on")


class Dashboard(Section):
    """The pages."""

    host: str = Field("127.0.0.1", description="loopback unless a proxy with TLS stands in front")
    port: int = Field(8501, description="port they are served on")


class Settings(BaseSettings):
    """Everything an operator may choose. OPENEAR_AGENCY__TIMEZONE and so on do the same."""

    model_config = SettingsConfigDict(
        env_prefix="OPENEAR_",
        env_nested_delimiter="__",
        extra="ignore",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    data_dir: Path = Field(Path("var"), description="database, keys, logs, exported model")
    database_url: SecretStr | None = Field(None, description="default: SQLite in data_dir")
    sample: bool = Field(False, description="the invented city; every page says so")
    agency: Agency = Agency()
    queries: dict[str, Query] = Field(default_factory=dict)
    sources: dict[str, Source] = Field(default_factory=dict)
    cases: Cases = Cases()
    retention: Retention = Retention()
    alerts: Alerts = Alerts()
    phones: Phones = Phones()
    network: Network = Network()
    model: Model = Model()
    api: Api = Api()
    dashboard: Dashboard = Dashboard()

    @field_validator("sources")
    @classmethod
    def _plain_names(cls, value: dict[str, Source]) -> dict[str, Source]:
        for name in value:
            if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name):
                raise ValueError(f"source name {name!r}: use a-z, 0-9 and _, so that the environment can name it too")
        return value

    @property
    def url(self) -> str:
        """The database's address, secrets included: never log it."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{(self.data_dir / 'openear.db').absolute()}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment over secrets directory over file."""
        sources: list[PydanticBaseSettingsSource] = [env_settings]
        if folder := os.environ.get("OPENEAR_SECRETS_DIR"):
            sources.append(
                NestedSecretsSettingsSource(
                    file_secret_settings,
                    secrets_dir=folder,
                    secrets_nested_delimiter="__",
                    env_prefix="OPENEAR_",
                )
            )
        return (*sources, init_settings)


def load(file: Path | None = None) -> Settings:
    """Read the settings from `file` (default: $OPENEAR_CONFIG or ./openear.toml, if there) and the environment.

    Raises:
        SettingsError: names the setting, what is wrong with it and what to do.
    """
    path = file or Path(os.environ.get("OPENEAR_CONFIG", "openear.toml"))
    values: dict[str, Any] = {}
    if path.exists():
        try:
            values = tomllib.loads(path.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(f"{path} is not readable TOML: {error}") from error
        _refuse_secrets(values, path)
    elif file is not None:
        raise SettingsError(f"{path} does not exist: make one with 'openear init'")
    try:
        return Settings(**values)
    except ValidationError as error:
        lines = (
            f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False, include_url=False)
        )
        raise SettingsError(f"settings in {path} or the environment cannot be used\n  " + "\n  ".join(lines)) from None


def _refuse_secrets(values: dict[str, Any], path: Path, *trail: str) -> None:
    for key, value in values.items():
        if isinstance(value, dict):
            _refuse_secrets(value, path, *trail, key)
        elif key in SECRET_KEYS:
            name = "OPENEAR_" + "__".join((*trail, key)).upper()
            raise SettingsError(f"{path}: {'.'.join((*trail, key))} is a secret: move it to the environment as {name}")
