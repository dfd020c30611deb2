"""Each page on an empty and on a full database, and what staff do on it, without a browser."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text

from core.actor import Role
from core.errors import Forbidden
from storage import alerts, cases, mentions, people, requests
from tests.conftest import ROOT
from tests.dashboard.shown import PAGES, buttons, page, plain, press, sound, status_line
from tests.dashboard.texts import HARM, ORDINARY
from tests.dashboard.world import World, arrive


def said(world: World, action: str) -> list[dict[str, Any]]:
    """The audit's rows of that action, oldest first."""
    with world.store.read() as read:
        rows = read.execute(text("SELECT * FROM audit WHERE action = :a ORDER BY id"), {"a": action})
        return [dict(row._mapping) for row in rows]


@pytest.mark.parametrize("name", PAGES)
def test_each_page_stands_on_an_empty_database_and_says_what_to_do(empty: World, name: str) -> None:
    shown = plain(page(empty, name, "max"))
    what_to_do = {
        "desk": "once a source is set up",
        "cases": "No case is open",
        "phones": "openear calls import FILE",
        "sentiment": "Nobody was heard in this span",
        "sources": "openear init",
    }
    assert what_to_do[name] in shown


@pytest.mark.parametrize("name", PAGES)
def test_nobody_sees_a_page_without_signing_in(full: World, name: str) -> None:
    at = page(full, name, who=None)
    assert [each.value for each in at.title] == ["Sign in to openear"]
    assert HARM.text not in plain(at)
    assert buttons(at) == ["Sign in"]


def test_a_person_signs_in_and_out(full: World) -> None:
    at = page(full, "desk", who=None)
    at.text_input[0].set_value("maria")
    at.text_input[1].set_value("wrong words entirely")
    at.button[0].click().run()
    assert [each.value for each in at.error] == ["Name or password is wrong."]
    at.text_input[1].set_value("four plain words here")
    press(at, "Sign in")
    assert at.title[0].value == "Desk"
    press(at, "Sign out")
    assert at.title[0].value == "Sign in to openear"


def test_the_desk_says_why_whose_and_by_when(full: World) -> None:
    at = page(full, "desk")
    shown = plain(at)
    assert at.subheader[1].value.startswith(f"Mention {full.ids['harm']}: post on mastodon")
    assert "Somebody may come to harm (94% sure)" in at.markdown[0].value
    assert "Needs an answer (97% sure). Tone: negative. About: Air and health hazards." in shown
    assert "answer due in 12 hours" in shown
    assert "ANSWER OVERDUE by" in shown
    assert "nobody has taken it" in shown
    with full.store.read() as read:
        code = cases.one(read, full.cases["main"]).case.code  # type: ignore[union-attr]
    assert f"no open case fits. It may belong to case {code} instead." in shown
    waiting = {metric.label: metric.value for metric in at.metric}
    assert waiting["May be about harm"] == "1"
    assert at.header[1].value.startswith(f"{waiting['Wait for an answer']} mentions to answer")


def newest(world: World) -> Any:
    """The desk, newest first: where the mentions made by hand are."""
    return page(world, "desk", order="Newest first")


def test_a_reply_is_shown_with_what_it_answers(full: World) -> None:
    assert "It answers: “Recycling is late today”" in plain(newest(full))


def test_answered_is_gone_said_and_undone(full: World) -> None:
    at, number = page(full, "desk"), full.ids["harm"]
    before = int(at.metric[0].value)
    press(at, f"Mark mention {number} answered")
    assert f"Mention {number} is marked answered" in status_line(at)
    assert f"Mark mention {number} answered" not in buttons(at)
    assert int(at.metric[0].value) == before - 1
    (row,) = said(full, "reply.answered")
    assert (row["actor_subject"], row["subject"]) == ("maria", f"mention:{number}")
    press(at, f"Undo: mention {number} is not answered")
    assert f"Mark mention {number} answered" in buttons(at)
    assert int(at.metric[0].value) == before
    assert said(full, "reply.undo")[0]["actor_subject"] == "maria"


def test_several_answers_can_be_taken_back(full: World) -> None:
    at = page(full, "desk")
    first, second = [label for label in buttons(at) if label.startswith("Mark")][:2]
    press(press(at, first), second)
    undo = [label for label in buttons(at) if label.startswith("Undo")]
    assert len(undo) == 2
    press(press(at, undo[0]), undo[1])
    assert {first, second} <= set(buttons(at))


def test_a_mention_is_taken(full: World) -> None:
    at = press(page(full, "desk"), f"Take mention {full.ids['harm']}")
    assert "given to maria" in plain(at)
    assert f"Take mention {full.ids['harm']}" not in buttons(at)
    assert said(full, "mention.assign")[0]["actor_subject"] == "maria"
    mine = page(full, "desk", whose="mine")
    assert [label for label in buttons(mine) if label.startswith("Mark")] == [
        f"Mark mention {full.ids['harm']} answered"
    ]


def form(at: Any, number: int) -> dict[str, Any]:
    """Open a mention's form; its fields by label."""
    press(at, f"Correct or link mention {number}")
    return {w.label: w for kind in (at.selectbox, at.multiselect, at.text_input, at.checkbox) for w in kind}


def test_staff_correct_the_tone_and_topics(full: World) -> None:
    at, number = page(full, "desk"), full.ids["harm"]
    fields = form(at, number)
    fields["Tone"].set_value("neutral")
    fields["Topics"].set_value(["noise"])
    fields["Why (kept in the audit)"].set_value("it was a drill")
    press(at, f"Save mention {number}")
    assert "saved sentiment, topics" in status_line(at)
    assert "Tone: neutral. About: Noise." in plain(at)
    rows = [*said(full, "score.correct.sentiment"), *said(full, "score.correct.topics")]
    assert [(r["actor_subject"], r["reason"]) for r in rows] == [("maria", "it was a drill")] * 2


def test_what_is_about_another_city_leaves_the_desk(full: World) -> None:
    at, number = page(full, "desk"), full.ids["harm"]
    form(at, number)["It is about this agency"].set_value("no")
    press(at, f"Save mention {number}")
    assert f"Mark mention {number} answered" not in buttons(at)


def test_a_mention_is_put_to_a_case_by_its_code(full: World) -> None:
    at, number = newest(full), full.ids["reply"]
    with full.store.read() as read:
        code = cases.one(read, full.cases["o0"]).case.code  # type: ignore[union-attr]
    form(at, number)["Put it to the case with this code"].set_value(code.lower())
    press(at, f"Save mention {number}")
    assert f"saved case {code}" in status_line(at)
    with full.store.read() as read:
        view = cases.one(read, full.cases["o0"])
    assert view is not None
    assert number in view.mention_ids
    assert view.links[-1].decided_by == "person:maria"


def test_a_wrong_code_changes_nothing_and_says_so(full: World) -> None:
    at, number = newest(full), full.ids["reply"]
    fields = form(at, number)
    fields["Tone"].set_value("positive")
    fields["Put it to the case with this code"].set_value("M-NONE1")
    press(at, f"Save mention {number}")
    assert "no case has the code" in status_line(at)
    assert said(full, "score.correct.sentiment") == []


def test_staff_open_a_new_case(full: World) -> None:
    at, number = newest(full), full.ids["reply"]
    form(at, number)["Open a new case for it"].check()
    press(at, f"Save mention {number}")
    with full.store.read() as read:
        view = mentions.one(read, number)
        case = cases.by_key(read, "mention:mastodon:reply")
    assert view is not None
    assert case is not None
    assert case.due_at is not None
    assert view.links[-1].case_id == case.id
    assert said(full, "case.open")[-1]["actor_subject"] == "maria"


def test_a_suggestion_comes_with_its_evidence_and_is_accepted(full: World) -> None:
    at, number = newest(full), full.ids["alike"]
    shown = plain(at)
    assert "both say: burst, main, mill, water; 1.5 hours apart; about 6 of 10 such suggestions are right" in shown
    (yes,) = [label for label in buttons(at) if label.startswith(f"Yes, mention {number} belongs to case ")]
    press(at, yes)
    with full.store.read() as read:
        view = cases.one(read, full.cases["main"])
    assert view is not None
    assert number in view.mention_ids


def test_a_suggestion_is_refused(full: World) -> None:
    at, number = newest(full), full.ids["alike"]
    press(at, f"Not this one for mention {number}")
    with full.store.read() as read:
        view = mentions.one(read, number)
    assert view is not None
    assert view.links[-1].undone_by == "person:maria"
    assert f"Not this one for mention {number}" not in buttons(at)


def test_a_danger_is_shown_until_somebody_knows(full: World) -> None:
    at, number = page(full, "desk"), full.ids["harm"]
    assert at.header[0].value == "Somebody may come to harm: 1 alert nobody has seen"
    assert "e-mail NOT sent" in plain(at)
    press(at, f"I know about mention {number}")
    assert not any("nobody has seen" in each.value for each in at.header)
    with full.store.read() as read:
        assert alerts.unseen(read) == []
    assert {row["actor_subject"] for row in said(full, "alert.seen")} == {"maria"}


def test_what_comes_later_is_announced_not_pushed(full: World, present: datetime) -> None:
    at = newest(full)
    late = arrive(full, "late", ORDINARY[7], present)
    at.run()
    assert f"Mark mention {late} answered" not in buttons(at)
    assert "1 new mention came since this list was read." in plain(at)
    press(at, "Load them")
    assert "new mention came" not in plain(at)
    assert f"Mark mention {late} answered" in buttons(at)


def test_a_viewer_sees_no_button_and_may_not_write(full: World) -> None:
    for name in PAGES:
        at = page(full, name, "vera")
        harmless = {"Sign out", "Load them"}
        assert [label for label in buttons(at) if label not in harmless and not label.startswith("Open case")] == []
    with full.store.read() as read:
        vera = people.one(read, "vera")
    assert vera is not None
    with pytest.raises(Forbidden, match="viewer"):
        people.require(vera, Role.AGENT)


def test_a_role_taken_away_counts_at_once(full: World, present: datetime) -> None:
    at, number = page(full, "desk"), full.ids["harm"]
    with full.store.write() as tx:
        people.set_role(tx, "maria", Role.VIEWER, people.one(tx, "max").actor, present)  # type: ignore[union-attr]
    (button,) = [each for each in at.button if each.label == f"Mark mention {number} answered"]
    button.click().run()
    assert said(full, "reply.answered") == []


def test_cases_are_listed_with_their_clock_and_opened(full: World) -> None:
    at = page(full, "cases")
    assert at.header[0].value == "19 cases open, page 1, last touched first"
    assert "OVERDUE by" in plain(at)
    with full.store.read() as read:
        code = cases.one(read, full.cases["o0"]).case.code  # type: ignore[union-attr]
    press(at, f"Open case {code}")
    shown = plain(at)
    assert "2 mentions at this case; this is why:" in shown
    assert "the same author wrote about the same topic (3.0 hours apart)" in shown
    assert "UNDONE by maria: another street" in shown


def opened(world: World, key: str) -> tuple[Any, str]:
    """The page of a case, asked for by its code in the address."""
    with world.store.read() as read:
        code = cases.one(read, world.cases[key]).case.code  # type: ignore[union-attr]
    at = page(world, "cases")
    next(each for each in at.text_input if each.label == "Case code").set_value(code).run()
    sound(at)
    assert at.header[0].value == f"Case {code}"
    return at, code


def test_a_case_gets_a_status_and_an_owner(full: World) -> None:
    at, code = opened(full, "o0")
    fields = {each.label: each for each in (*at.selectbox, *at.text_input)}
    fields["Status of this case"].select("in progress")
    fields["Given to"].select("max")
    fields["Why (kept in the audit)"].set_value("crew is out")
    press(at, f"Save case {code}")
    assert "its status is in progress and it is given to max" in status_line(at)
    assert said(full, "case.status")[-1]["reason"] == "crew is out"


def test_a_mention_is_taken_out_of_a_case(full: World) -> None:
    at, _ = opened(full, "o0")
    press(at, f"Take mention {full.ids['o25']} out")
    assert "was taken out; the decision is kept and shown as undone" in status_line(at)
    with full.store.read() as read:
        view = cases.one(read, full.cases["o0"])
    assert view is not None
    assert full.ids["o25"] not in view.mention_ids


def test_a_case_that_is_not_there(full: World) -> None:
    at = page(full, "cases")
    next(each for each in at.text_input if each.label == "Case code").set_value("M-12345").run()
    assert "No case has the code M-12345" in plain(at)


def test_phones_show_band_spike_agents_and_how_good_it_was(full: World) -> None:
    at = page(full, "phones")
    shown = plain(at)
    assert [each.value for each in at.header] == [
        "Today so far",
        "Calls to come",
        "Chance of a spike",
        "Agents to schedule",
        "How good the forecast was",
    ]
    assert "Calls are counted up to" in shown
    assert "calls are expected in the next 3 days; most at" in shown
    assert "Most likely:" in shown
    assert "possible (35%)" in shown
    assert "of calls answered within 20 s" in shown
    assert "Over the last 28 days the forecast made the night before missed by" in shown
    columns = [list(table.value.columns) for table in at.table]
    assert ["From", "Calls expected", "Agents to schedule", "To be safe in 8 of 10 cases"] in columns


def test_sentiment_has_its_interval_and_its_gaps(full: World) -> None:
    at = page(full, "sentiment")
    shown = plain(at)
    assert "allowing for chance (95% interval)" in shown
    assert "29 could not be read and are in no share" in shown
    assert "37 or more missed): those days are marked with a triangle" in shown
    trend = at.table[0].value
    assert "some missed, number unknown" in set(trend["Heard"])
    assert (trend["Negative"] == "–").any(), "days before the first mention are gaps, not zeros"


def test_sources_say_how_each_does_and_what_is_missing(full: World) -> None:
    at = page(full, "sources", "max")
    shown = plain(at)
    headings = [each.value for each in at.subheader]
    assert "tag: works" in headings
    assert any(each.startswith("paper: did not answer, is asked again in") for each in headings)
    assert "reviews: refused: an operator must act" in headings
    assert "tag: 37 mentions were missed" in shown
    assert "a back-fill is under way, 0 fetched, 37 are still missing" in shown
    assert "paper: An unknown number of mentions was missed" in shown
    assert "Closed 1 hour ago: filled by a back-fill" in shown
    assert "2 gaps open, 1 closed." in shown


def test_a_manager_asks_a_source_and_retries_work(full: World) -> None:
    at = page(full, "sources", "max")
    press(at, "Ask tag now")
    assert "tag is asked within seconds" in status_line(at)
    (retry, *_) = [label for label in buttons(at) if label.startswith("Retry unit")]
    press(at, retry)
    with full.store.read() as read:
        asked = requests.waiting(read)
    assert [(r.kind, r.actor.subject) for r in asked] == [("source.ask", "max"), ("work.retry", "max")]


def test_an_agent_cannot_operate(full: World) -> None:
    at = page(full, "sources", "maria")
    assert [label for label in buttons(at) if label.startswith(("Ask", "Retry"))] == []
    assert "A manager can have a source asked" in plain(at)


def test_the_sample_city_says_on_each_page_that_it_is_invented(empty: World, present: datetime) -> None:
    (empty.folder / "openear.toml").write_text("sample = true\n", "utf-8")
    with empty.store.write() as tx:
        people.add(tx, "demo", "four plain words here", Role.MANAGER, people.one(tx, "max").actor, present)  # type: ignore[union-attr]
    for name in PAGES:
        at = page(empty, name, who=None)
        assert "Maple Harbor is an invented city" in status_line(at)


def test_a_session_that_idled_is_over(full: World) -> None:
    at = page(full, "desk")
    with full.store.write() as tx:
        tx.execute(text("UPDATE sign_in SET seen_at = :then"), {"then": "2020-01-01 00:00:00.000000"})
    at.run()
    assert at.title[0].value == "Sign in to openear"


def test_each_page_is_in_the_documentation() -> None:
    headings = (ROOT / "docs" / "pages.md").read_text("utf-8").splitlines()
    assert [name.capitalize() for name in PAGES if f"## {name.capitalize()}" not in headings] == []
