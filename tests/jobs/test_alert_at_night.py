"""From a stored mention to a person's mailbox, at two in the morning, with nobody on duty."""

import email
import json
import random
from datetime import UTC, datetime
from email.policy import default
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.batch import Batch, Coverage
from core.mention import Author, Kind, Mention
from core.settings import Agency, Alerts, Network, Settings
from jobs import alerting, link
from jobs.build import Runtime
from storage import alerts, cases, mentions, scores, work
from storage.engine import open_store, upgrade
from storage.mentions import text_hash
from tests.crm import make
from tests.jobs.servers import Mails, Posts, mail_server, web_server

NIGHT = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)  # 02:00 in New York
TEXT = "There is a live wire down on Oak Street next to the school, someone will get hurt"


def test_words_about_harm_at_two_in_the_morning_reach_a_person_at_once_and_once(tmp_path: Path) -> None:
    with mail_server(Mails()) as mails, web_server(Posts()) as posts:
        runtime = _runtime(tmp_path, mails, posts)
        _score(runtime, _store(runtime), safety=0.95)
        for _ in range(2):  # every stage may run twice
            _run(runtime)
        [(_, _, content, _)] = mails.received
        [(_, body)] = posts.received
        with runtime.store.read() as read:
            [case] = cases.page(read)
            assert alerts.unsent(read) == []
        runtime.store.close()
    told = email.message_from_bytes(content, policy=default)
    assert case.code in told["subject"]
    assert "> There is a live wire down on Oak Street" in told.get_content()
    assert "Monday 02 March 2026, 02:00" in told.get_content()
    assert json.loads(body)["case"] == case.code


@pytest.mark.parametrize(("own", "safety"), [(True, 0.95), (False, 0.1)])
def test_the_agencys_own_words_and_everyday_ones_wake_nobody(tmp_path: Path, own: bool, safety: float) -> None:
    with mail_server(Mails()) as mails, web_server(Posts()) as posts:
        runtime = _runtime(tmp_path, mails, posts)
        _score(runtime, _store(runtime, own=own), safety=safety)
        _run(runtime)
        runtime.store.close()
        assert (mails.received, posts.received) == ([], [])


def _runtime(folder: Path, mails: Mails, posts: Posts) -> Runtime:
    settings = Settings(
        data_dir=folder,
        agency=Agency(timezone="America/New_York"),
        network=Network(allow=("127.0.0.0/8",)),
        alerts=Alerts(
            email_from="openear@city.example",
            email_to=("duty@city.example",),
            smtp_host="127.0.0.1",
            smtp_port=mails.port,
            smtp_starttls=False,
            webhook_url=posts.url,
            webhook_secret=SecretStr("a secret"),
        ),
    )
    upgrade(settings.url)
    return Runtime(settings=settings, store=open_store(settings.url), clock=lambda: NIGHT, rng=random.Random(0))


def _store(runtime: Runtime, *, own: bool = False) -> int:
    said = Mention(
        platform="mastodon",
        external_id="1",
        version="1",
        kind=Kind.POST,
        text=TEXT,
        seen_at=NIGHT,
        posted_at=NIGHT,
        author=Author(pseudonym="a" * 64, epoch="1"),
        own=own,
    )
    batch = Batch(mentions=(said,), coverage=Coverage(since=None, until=NIGHT, complete=True))
    with runtime.store.write() as tx:
        [mention_id] = mentions.add(tx, "town", batch, now=NIGHT).new
    return int(mention_id)


def _score(runtime: Runtime, mention_id: int, *, safety: float) -> None:
    with runtime.store.write() as tx:
        scores.add(tx, [(mention_id, text_hash(TEXT), make.scores(safety=safety))], NIGHT)


def _run(runtime: Runtime) -> None:
    """Link, then send what the link raised, as the schedule would."""
    link.link(runtime, _unit(runtime, "link", {}))
    with runtime.store.read() as read:
        waiting = [row.id for row in alerts.unseen(read)]
    for number in waiting:
        alerting.alert(runtime, _unit(runtime, "alert", {"alert": number}))


def _unit(runtime: Runtime, stage: str, payload: dict[str, int]) -> work.Unit:
    with runtime.store.write() as tx:
        unit_id = work.add(tx, stage, f"{stage}:{runtime.rng.random()}", dict(payload), NIGHT)
        assert unit_id is not None
        unit = work.one(tx, unit_id)
        assert unit is not None
        return unit
