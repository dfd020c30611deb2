import email
import json
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from core.errors import OutcomeUnknown
from core.settings import Agency, Alerts, Network, Settings
from crm import signing
from jobs.alert import Alert, NotSent, alert_of, raise_alerts, send
from jobs.alert_words import mail, message
from net.client import open_client
from storage import alerts
from storage.address import address
from storage.engine import Store, writing_engine
from storage.tables import metadata
from tests.conftest import NOW
from tests.jobs.servers import Mails, Posts, certificate, mail_server, web_server

SECRET = "a secret of the webhook"
TOLD = Alert(
    key="safety:17:email",
    why="somebody may come to harm",
    text="There are live wires down on Oak Street, ¡niños cerca!\n.\nFrom: mayor@city.example",
    platform="mastodon",
    said_at=NOW - timedelta(minutes=2),
    raised_at=NOW,
    chance=0.93,
    case_code="M-BF7WX",
    url="https://social.example/1",
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path / 'alerts.db'}"
    engine = writing_engine(address(url))
    metadata.create_all(engine)
    engine.dispose()
    opened = Store(url)
    yield opened
    opened.close()


def settings(network: Network | None = None, **changes: Any) -> Settings:
    return Settings(
        alerts=Alerts(**{"email_from": "openear@city.example", "email_to": ("duty@city.example",)} | changes),
        network=network or Network(allow=("127.0.0.0/8",)),
        agency=Agency(timezone="America/New_York"),
    )


def tell(chosen: Settings, store: Store, channel: str) -> str:
    """Raise the alert if it is not raised, send it, and say how it stands."""
    with store.write() as tx:
        alerts.add(tx, f"safety:17:{channel}", channel, TOLD.why, NOW)
    with store.read() as read:
        [row] = [row for row in alerts.unseen(read) if row.channel == channel]
    with open_client(chosen.network) as client:
        try:
            send(row, TOLD, chosen, store, client, lambda: NOW)
        finally:
            with store.read() as read:
                [row] = [row for row in alerts.unseen(read) if row.channel == channel]
    return row.state


def state(store: Store) -> tuple[str, str]:
    with store.read() as read:
        [row] = alerts.unseen(read)
    return row.state, row.error


def read_mail(content: bytes) -> EmailMessage:
    return email.message_from_bytes(content, policy=default)


def test_a_mail_arrives_encrypted_and_only_once(store: Store, tmp_path: Path) -> None:
    pem = certificate(tmp_path)
    with mail_server(Mails(tls=pem)) as mails:
        chosen = settings(Network(ca_file=pem), smtp_host="127.0.0.1", smtp_port=mails.port)
        assert tell(chosen, store, "email") == "sent"
        assert tell(chosen, store, "email") == "sent"
        [(sender, to, content, encrypted)] = mails.received
    assert encrypted
    assert sender.startswith("mail FROM:<openear@city.example>")
    assert to == ["rcpt TO:<duty@city.example>"]
    got = read_mail(content)
    assert got["subject"] == "openear: somebody may come to harm M-BF7WX"
    assert got["message-id"] == "<safety-17-email@city.example>"
    assert got.get_content_type() == "text/plain"
    assert "> There are live wires down on Oak Street, ¡niños cerca!" in got.get_content()
    assert "> From: mayor@city.example" in got.get_content()
    assert "Monday 02 March 2026, 09:58 (America/New_York)" in got.get_content()


def test_a_server_without_encryption_gets_nothing_unless_the_operator_says_so(store: Store) -> None:
    with mail_server(Mails()) as mails:
        with pytest.raises(NotSent, match="STARTTLS"):
            tell(settings(smtp_host="127.0.0.1", smtp_port=mails.port), store, "email")
        assert mails.received == []
        assert state(store)[0] == "failed"
        plain = settings(smtp_host="127.0.0.1", smtp_port=mails.port, smtp_starttls=False)
        assert tell(plain, store, "email") == "sent"


def test_a_server_that_is_not_who_it_says_gets_nothing(store: Store, tmp_path: Path) -> None:
    with mail_server(Mails(tls=certificate(tmp_path))) as mails:
        with pytest.raises(NotSent, match="CERTIFICATE_VERIFY_FAILED"):
            tell(settings(smtp_host="127.0.0.1", smtp_port=mails.port), store, "email")
        assert mails.received == []


def test_a_server_that_falls_silent_with_the_message_is_unknown_and_told_again_under_the_same_id(store: Store) -> None:
    with mail_server(Mails(silent_after_data=True)) as mails:
        chosen = settings(smtp_host="127.0.0.1", smtp_port=mails.port, smtp_starttls=False)
        with pytest.raises(OutcomeUnknown, match="silent"):
            tell(chosen, store, "email")
        assert state(store)[0] == "unknown"
        mails.silent_after_data = False
        assert tell(chosen, store, "email") == "sent"
        first, second = (read_mail(content)["message-id"] for _, _, content, _ in mails.received)
    assert first == second


def test_one_address_that_is_taken_is_enough(store: Store) -> None:
    with mail_server(Mails(refuses=frozenset({"gone@"}))) as mails:
        chosen = settings(
            smtp_host="127.0.0.1", smtp_port=mails.port, smtp_starttls=False, email_to=("gone@x.example", "d@x.example")
        )
        assert tell(chosen, store, "email") == "sent"
        mails.refuses = frozenset({"@x.example"})
        with store.write() as tx:
            alerts.set_state(tx, 1, "failed", NOW)
        with pytest.raises(NotSent, match="refused every address"):
            tell(chosen, store, "email")


def test_no_server_is_a_failure_that_names_it(store: Store) -> None:
    with mail_server(Mails()) as mails:
        port = mails.port
    with pytest.raises(NotSent, match=f"127.0.0.1:{port}"):
        tell(settings(smtp_host="127.0.0.1", smtp_port=port), store, "email")


def test_the_webhook_is_signed_and_told_once(store: Store) -> None:
    with web_server(Posts()) as posts:
        chosen = settings(webhook_url=posts.url, webhook_secret=SecretStr(SECRET))
        assert tell(chosen, store, "webhook") == "sent"
        assert tell(chosen, store, "webhook") == "sent"
        [(headers, body)] = posts.received
    event = signing.check(SECRET, headers["x-openear-event"], headers["x-openear-signature"], body, NOW)
    assert event == "safety-17-email"
    told = json.loads(body)
    assert (told["text"], told["case"], told["chance"]) == (TOLD.text, "M-BF7WX", 0.93)
    assert told["said_at"] == "2026-03-02T14:58:00+00:00"


@pytest.mark.parametrize(("status", "error", "left"), [(0, OutcomeUnknown, "unknown"), (500, NotSent, "failed")])
def test_a_webhook_that_hangs_up_is_unknown_and_one_that_refuses_has_failed(
    store: Store, status: int, error: type[Exception], left: str
) -> None:
    with web_server(Posts(status=status)) as posts:
        with pytest.raises(error):
            tell(settings(webhook_url=posts.url, webhook_secret=SecretStr(SECRET)), store, "webhook")
        assert state(store)[0] == left
        assert SECRET not in state(store)[1]


def test_the_webhook_keeps_to_the_guarded_door_and_never_goes_unsigned(store: Store) -> None:
    with web_server(Posts()) as posts:
        with pytest.raises(NotSent, match=r"network\.allow"):
            tell(settings(Network(), webhook_url=posts.url, webhook_secret=SecretStr(SECRET)), store, "webhook")
        with pytest.raises(NotSent, match="OPENEAR_ALERTS__WEBHOOK_SECRET"):
            tell(settings(webhook_url=posts.url), store, "webhook")
        assert posts.received == []


def test_an_alert_is_raised_once_for_each_way_and_for_the_desk_where_there_is_none(store: Store) -> None:
    both = settings(smtp_host="mail.example", webhook_url="https://hook.example")
    with store.write() as tx:
        assert len(_raise(tx, both)) == 2
        assert _raise(tx, both) == []
        assert len(_raise(tx, settings())) == 1
    with pytest.raises(NotSent, match="nobody can be told"):
        tell(settings(), store, "desk")


def _raise(tx: Any, chosen: Settings) -> list[int]:
    tx.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
    added = raise_alerts(tx, chosen, 17, NOW)
    tx.exec_driver_sql("UPDATE alert SET mention_id = NULL")  # there is no such mention in this test
    return added


def test_a_deleted_mention_is_told_without_its_text(store: Store) -> None:
    with store.write() as tx:
        alerts.add(tx, "safety:17:email", "email", TOLD.why, NOW)
    with store.read() as read:
        [row] = alerts.unseen(read)
    told = alert_of(row, None)
    assert (told.key, told.why) == ("safety:17:email", TOLD.why)
    assert "not here any more" in told.text


def test_an_address_that_is_none_names_the_setting(store: Store) -> None:
    with pytest.raises(NotSent, match=r"alerts\.email_from"):
        mail(TOLD, settings(email_from="a\r\nBcc: x@y.example"))


@given(st.text(), st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_nothing_a_resident_wrote_becomes_a_header_or_looks_like_ours(
    text: str, platform: str, url: str, code: str
) -> None:
    told = Alert(
        key="safety:17:email",
        why=TOLD.why,
        text=text,
        platform=platform,
        said_at=NOW,
        raised_at=NOW,
        chance=0.9,
        case_code=code,
        url=url,
    )
    got = read_mail(mail(told, settings()))
    assert sorted(got.keys()) == sorted(message(TOLD, settings()).keys())
    assert not got.is_multipart()
    lines = got.get_content().splitlines()
    assert lines[0] == "Somebody may come to harm (chance 90%). Please look at once."
    assert all(line.startswith((">", "Where: ", "Case: ", "Said on", "A machine")) for line in lines[1:] if line)
