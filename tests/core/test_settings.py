"""Settings: from a file, the environment and a secrets folder; what is wrong is named."""

from datetime import timedelta
from pathlib import Path

import pytest

from core.errors import SettingsError
from core.settings import Settings, duration, load
from jobs.init import settings_file
from jobs.settings_text import env_text, settings_list, toml_text


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "openear.toml"
    path.write_text(text, "utf-8")
    return path


def test_the_environment_wins_and_reaches_into_a_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, '[sources.tags]\nkind = "mastodon"\nurl = "https://a.example"\nevery = "10min"\n')
    monkeypatch.setenv("OPENEAR_SOURCES__TAGS__TOKEN", "s3cret")
    monkeypatch.setenv("OPENEAR_AGENCY__TIMEZONE", "America/Chicago")
    settings = load(path)
    source = settings.sources["tags"]
    assert source.every == timedelta(minutes=10)
    assert source.token is not None
    assert source.token.get_secret_value() == "s3cret"
    assert source.options == {"url": "https://a.example"}
    assert settings.agency.timezone == "America/Chicago"
    assert "s3cret" not in repr(settings)


def test_a_secrets_folder_works_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "OPENEAR_ALERTS__SMTP_PASSWORD").write_text("pw\n")
    monkeypatch.setenv("OPENEAR_SECRETS_DIR", str(folder))
    password = load(written(tmp_path, "")).alerts.smtp_password
    assert password is not None
    assert password.get_secret_value().strip() == "pw"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[sources.a]\nkind = "feed"\ntoken = "x"\n', "OPENEAR_SOURCES__A__TOKEN"),
        ("[agency]\ntimezone = 'Mars/Base'\n", "agency.timezone"),
        ("[agency]\nnmaes = ['x']\n", "agency.nmaes"),
        ("[agency\n", "not readable TOML"),
        ('[sources."a b"]\nkind = "feed"\n', "source name 'a b'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(written(tmp_path, text))
    assert named in str(caught.value)


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="openear init"):
        load(tmp_path / "none.toml")


@pytest.mark.parametrize(("text", "seconds"), [("30min", 1800), ("7d", 604800), ("80s", 80), ("1.5h", 5400)])
def test_durations(text: str, seconds: int) -> None:
    assert duration(text) == timedelta(seconds=seconds)


def test_a_new_settings_file_can_be_read_and_explains_itself(tmp_path: Path) -> None:
    text = settings_file(
        name="City of X", handle="@x", place="Ohio", timezone="America/Chicago", mastodon="https://a.example", feed=""
    )
    settings = load(written(tmp_path, text))
    assert settings.agency.names == ("City of X",)
    assert settings.sources["mastodon"].kind == "mastodon"
    for setting in settings_list():
        if setting.path[0] not in ("queries", "sources"):
            assert setting.meaning in text


def test_every_setting_has_a_meaning_and_stands_in_the_example_file() -> None:
    root = Path(__file__).parents[2]
    assert all(setting.meaning for setting in settings_list())
    assert (root / ".env.example").read_text("utf-8") == env_text(), "run: python -m jobs.settings_text"
    assert toml_text({}).count("\n") > 40
    assert Settings().url.startswith("sqlite:///")
