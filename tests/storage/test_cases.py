import pytest

from core.case import CaseRef, Link, Rule, Status, Verdict
from core.errors import BadInput
from storage import audit, cases, desk, mentions, queue, replies
from storage.engine import Store
from tests.conftest import NOW
from tests.storage.build import HOUR, LINKER, MARIA, draft, give_scores, open_for, post, put, waiting

IGNORE = Link(verdict=Verdict.IGNORE, rule=Rule.NONE)


def test_the_same_key_is_the_same_case(store: Store) -> None:
    with store.write() as tx:
        first = cases.open(tx, "mention:mastodon:1", draft(), NOW, LINKER)
        assert cases.open(tx, "mention:mastodon:1", draft(), NOW + HOUR, LINKER) == first
        row = cases.by_key(tx, "mention:mastodon:1")
        assert row is not None
        assert cases.by_code(tx, f" {row.code.lower()} ") == row
        assert row.ref == CaseRef(system="native", id=str(first))
        assert audit.anchor(tx).rows == 1


def test_codes_are_short_and_never_the_same(sqlite: Store) -> None:
    with sqlite.write() as tx:
        taken = cases.case_code("b")
        from sqlalchemy import update

        from storage.tables import cases as table

        first = cases.open(tx, "a", draft(), NOW, LINKER)
        tx.execute(update(table).where(table.c.id == first).values(code=taken))
        cases.open(tx, "b", draft(), NOW, LINKER)
        codes = [row.code for row in cases.page(tx)]
    assert len(set(codes)) == 2
    assert all(code.startswith("M-") and set(code[2:]) <= set(cases.ALPHABET) for code in codes)


def test_a_decision_is_kept_with_its_reason_and_can_be_undone(store: Store) -> None:
    one = waiting(store)
    case_id = open_for(store, one)
    with store.write() as tx:
        view = cases.one(tx, case_id)
        assert view is not None
        assert view.mention_ids == (one,)
        assert view.case.mentions == 1
        assert cases.unlink(tx, view.links[0].id, MARIA, "another street", NOW)
        assert not cases.unlink(tx, view.links[0].id, MARIA, "again", NOW)
        view = cases.one(tx, case_id)
        assert view is not None
        assert (view.mention_ids, view.links[0].undone_by, view.links[0].undone_reason) == (
            (),
            "person:maria",
            "another street",
        )
        assert cases.unlinked(tx, 0, 10) == []


def test_linking_twice_is_linking_once(store: Store) -> None:
    one = waiting(store)
    case_id = open_for(store, one)
    again = Link(verdict=Verdict.JOIN, rule=Rule.SIMILAR, case_id=case_id)
    with store.write() as tx:
        first = cases.link(tx, one, again, NOW, LINKER)
        assert cases.link(tx, one, again, NOW, LINKER) == first
        view = mentions.one(tx, one)
    assert view is not None
    assert [i.verdict for i in view.links] == ["open"]


def test_a_person_replaces_what_a_job_decided_and_not_the_other_way_round(store: Store) -> None:
    one = waiting(store)
    with store.write() as tx:
        cases.link(tx, one, IGNORE, NOW, LINKER)
        case_id = cases.open(tx, "person's", draft(), NOW, MARIA)
        theirs = Link(verdict=Verdict.JOIN, rule=Rule.PERSON, case_id=case_id)
        mine = cases.link(tx, one, theirs, NOW, MARIA, reason="it is a case")
        assert cases.link(tx, one, IGNORE, NOW, LINKER) == mine
        view = mentions.one(tx, one)
    assert view is not None
    assert [(i.verdict, i.decided_by, i.undone_at is None) for i in view.links] == [
        ("ignore", "job:link", False),
        ("join", "person:maria", True),
    ]


def test_what_is_undecided_comes_in_order_of_ids(store: Store) -> None:
    ids = [waiting(store, n) for n in range(4)]
    put(store, post("own", own=True), post("unread"))
    with store.write() as tx:
        assert cases.unlinked(tx, 0, 10) == ids
        assert cases.unlinked(tx, ids[0], 2) == ids[1:3]
        cases.link(tx, ids[1], IGNORE, NOW, LINKER)
        assert cases.unlinked(tx, 0, 10) == [ids[0], *ids[2:]]


def test_the_linker_waits_for_what_was_not_read_yet(store: Store) -> None:
    first = put(store, post(1), now=NOW).new[0]
    second = waiting(store, 2)
    with store.read() as read:
        assert queue.to_link(read, 10, NOW - HOUR) == []
        assert [i.mention_id for i in queue.to_link(read, 10, NOW + HOUR)] == [second]
    give_scores(store, [first])
    with store.read() as read:
        found = queue.to_link(read, 10, NOW - HOUR)
    assert [(i.mention_id, i.scores.model, len(i.scores.vector)) for i in found] == [
        (first, "mini", 8),
        (second, "mini", 8),
    ]


def test_candidates_show_what_the_rules_compare(store: Store) -> None:
    one = waiting(store, parent="https://harbor.example/0")
    case_id = open_for(store, one)
    with store.write() as tx:
        closed = cases.open(tx, "closed", draft(), NOW, LINKER)
        cases.set_status(tx, closed, Status.CLOSED, MARIA, "", NOW)
        (row,) = [c for c in cases.candidates(tx, now=NOW, days=7) if c.ended_at is None]
        assert [c.case_id for c in cases.candidates(tx, now=NOW, days=7) if c.ended_at == NOW] == [closed]
        assert cases.candidates(tx, now=NOW + 8 * 24 * HOUR, days=7) == []
        assert cases.candidates(tx, now=NOW, days=7, case_ids=[99]) == []
    assert (row.case_id, row.topic) == (case_id, "roads_potholes")
    (member,) = row.mentions
    assert (member.mention_id, member.parent, len(member.vector)) == (one, "https://harbor.example/0", 8)
    assert set(member.topics) == {"roads_potholes", "noise"}


def test_status_owner_and_audit(store: Store) -> None:
    case_id = open_for(store, waiting(store))
    with store.write() as tx:
        assert cases.assign(tx, case_id, "maria", MARIA, NOW)
        assert not cases.assign(tx, case_id, "maria", MARIA, NOW)
        assert cases.set_status(tx, case_id, Status.RESOLVED, MARIA, "fixed", NOW, raw_status="Done")
        assert [e.action for e in audit.page(tx, subject=f"case:{case_id}")] == [
            "case.status",
            "case.assign",
            "case.open",
        ]
        assert cases.page(tx, status=Status.OPEN) == []
        assert [row.owner for row in cases.page(tx, status="resolved", owner="maria")] == ["maria"]
        assert (cases.count(tx), cases.count(tx, Status.OPEN)) == (1, 0)
        with pytest.raises(BadInput):
            cases.assign(tx, 99, "maria", MARIA, NOW)


def test_each_state_of_sending_is_kept(store: Store) -> None:
    with store.write() as tx:
        case_id = cases.open(tx, "k", draft(), NOW, LINKER, system="znuny")
        assert [row.sending for row in cases.unsent(tx, 10)] == ["waiting"]
        cases.set_sending(tx, case_id, "unknown", LINKER, "timed out", NOW)
        assert [row.sending for row in cases.unsent(tx, 10)] == ["unknown"]
        cases.set_ref(tx, case_id, CaseRef(system="znuny", id="77", url="https://desk.example/77"), LINKER, NOW)
        assert cases.unsent(tx, 10) == []
        view = cases.one(tx, case_id)
    assert view is not None
    assert view.case.ref == CaseRef(system="znuny", id="77", url="https://desk.example/77")


def test_answered_leaves_the_desk_and_comes_back_when_undone(store: Store) -> None:
    one = waiting(store)
    case_id = open_for(store, one)
    with store.write() as tx:
        done = replies.mark_answered(tx, one, MARIA, "called back", NOW + HOUR)
        assert replies.mark_answered(tx, one, MARIA, "again", NOW + HOUR) == done
        assert desk.inbox(tx) == []
        case = cases.one(tx, case_id)
        assert case is not None
        assert case.case.answered_at == NOW + HOUR
        assert replies.standing(tx, one) == done
    give_scores(store, [one])
    with store.write() as tx:
        assert desk.inbox(tx) == []
        assert replies.undo(tx, done, MARIA, NOW + 2 * HOUR)
        assert not replies.undo(tx, done, MARIA, NOW + 2 * HOUR)
        assert [item.mention_id for item in desk.inbox(tx)] == [one]
        view = mentions.one(tx, one)
        with pytest.raises(BadInput):
            replies.mark_answered(tx, 99, MARIA, "", NOW)
    assert view is not None
    assert [(r.note, r.undone_by) for r in view.replies] == [("called back", "person:maria")]
