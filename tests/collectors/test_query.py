from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collectors.queries.matching import holds, subject_of
from collectors.queries.reading import MOST_CHARACTERS
from collectors.queries.tree import And, Field, Handle, Near, Node, Not, Or, Prefix, Tag, Words, folded, joined
from collectors.query import Query, QueryError, from_settings, matches, matching, parse, terms_for, unsaid_by
from core import settings
from core.errors import BadInput
from core.mention import Kind, Mention

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
LISTS = {"jobs": ["we are hiring", "vacante"], "two words": ["x"]}


def said(text: str, language: str | None = None, url: str = "", platform: str = "mastodon") -> Mention:
    return Mention(
        platform=platform,
        external_id="1",
        version="1",
        kind=Kind.POST,
        text=text,
        seen_at=NOW,
        language=language,
        url=url,
    )


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("water", "The WATER is off", True),
        ("water", "waterfall", False),
        ("water bill", "my bill for water", True),
        ('"water bill"', "my bill for water", False),
        ('"water bill"', "My water-bill!", True),
        ("wat*", "waterfall", True),
        ("water OR gas", "gas leak", True),
        ("water AND NOT gas", "gas and water", False),
        ("water -gas", "gas and water", False),
        ("water -gas", "water", True),
        ("(water OR gas) leak", "a gas leak", True),
        ("water OR gas leak", "water", True),
        ("water NEAR/2 bill", "water is my bill", True),
        ("water NEAR/2 bill", "bill of the water", True),
        ("water NEAR/1 bill", "bill of the water", False),
        ("water NEAR/0 bill", "water water bill", True),
        ('"main street" NEAR/3 flood*', "flooding on main street", True),
        ("@mapleharbor", "hey @MapleHarbor!", True),
        ("@mapleharbor", "hey @mapleharborpd", False),
        ("@mapleharbor", "mail me at x@mapleharbor.example", False),
        ("@city@example.social", "cc @city@example.social", True),
        ("#baches", "otra vez #Baches", True),
        ("#baches", "otra vez baches", False),
        ("baches", "otra vez #baches", True),
        ("reparacion", "la Reparación", True),
        ("水道", "今日は水道が止まった", True),
        ("url:example.org", "see https://Example.org/x", True),
        ("place:springfield water", "water in Springfield", True),
        ('place:"fair oaks" water', "water at Fair Oaks", True),
        ("water NOT list:jobs", "We are hiring! water engineer", False),
        ('"it\'s"', "it's", True),
        ("and", "this AND that", True),
    ],
)
def test_what_matches(query: str, text: str, expected: bool) -> None:
    assert matches(parse(query, LISTS), said(text)) is expected


def test_what_is_known_beside_the_text() -> None:
    post = said("no hay agua", language="es-MX", url="https://example.social/@ana/1")
    assert matches(parse("agua lang:es"), post)
    assert not matches(parse("agua lang:e"), post)
    assert matches(parse("agua lang:en"), post, language="en")
    assert matches(parse("agua url:example.social/@ana"), post)
    assert matches(parse("agua source:mastodon"), post)
    assert matches(parse("agua source:our_server"), post, source="our_server")
    assert matches(parse('agua place:"oak harbor"'), post, places=["Oak Harbor"])


def test_the_springfield_of_another_state_is_told_apart_by_place_words() -> None:
    ours = parse("springfield (place:illinois OR place:sangamon) -place:massachusetts")
    assert matches(ours, said("Potholes in Springfield, Illinois"))
    assert not matches(ours, said("Potholes in Springfield, Massachusetts"))
    assert not matches(ours, said("Homer lives in Springfield"))


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("", 0, "empty"),
        ("   ", 0, "empty"),
        ("(water", 0, "never closed"),
        ("water)", 5, "closing bracket"),
        ('water "bill', 6, "quotation mark"),
        ("OR water", 0, "OR needs"),
        ("water AND", 9, "missing at the end"),
        ("water OR OR gas", 9, "OR needs"),
        ("water NEAR/3 (a b)", 6, "NEAR stands between"),
        ("a NEAR/3 b NEAR/3 c", 11, "NEAR joins two"),
        ("NOT water", 0, "not wanted"),
        ("water OR NOT gas", 0, "not wanted"),
        ("list:nobody x", 0, "no list"),
        ("lang: x", 0, "needs a value"),
        ("@ x", 0, "account"),
        ("#! x", 0, "tag"),
        ("water !!!", 6, "nothing to look for"),
        ("()", 1, "before this bracket"),
        ("(" * 60 + "a" + ")" * 60, 51, "inside one another"),
        ("a " * MOST_CHARACTERS, MOST_CHARACTERS, "characters"),
    ],
)
def test_an_error_points_at_its_character(text: str, position: int, words: str) -> None:
    with pytest.raises(QueryError, match=words) as caught:
        parse(text, LISTS)
    assert caught.value.position == position
    assert isinstance(caught.value, BadInput)
    assert str(caught.value).splitlines()[-1].endswith("^")


parts = st.sampled_from(
    [
        '"',
        "(",
        ")",
        "AND",
        "OR",
        "NOT",
        "NEAR/3",
        "NEAR",
        "-",
        "@",
        "#",
        "url:",
        "list:jobs",
        "*",
        "a",
        "é",
        " ",
        "´",
        "＂",
    ]
)


@given(st.one_of(st.text(), st.lists(parts).map("".join), st.lists(parts).map(" ".join)))
@example("place:a´b")
@example("- - -a")
@example("NOT " * 5000 + "a")
def test_any_text_reads_or_is_a_query_error(text: str) -> None:
    try:
        query = parse(text, LISTS)
    except QueryError:
        return
    again = parse(str(query), LISTS)
    assert again == query
    assert str(again) == str(query)


word = st.sampled_from(["water", "bill", "gas", "leak", "main"])
words = st.builds(Words, st.tuples(word)) | st.builds(Words, st.tuples(word, word), st.just(True))
prefix = st.builds(Prefix, st.sampled_from(["wa", "bi", "g"]))
leaf: st.SearchStrategy[Node] = (
    words
    | prefix
    | st.builds(Handle, word)
    | st.builds(Tag, word)
    | st.builds(Near, words | prefix, words | prefix, st.integers(0, 3))
    | st.builds(Field, st.just("lang"), st.sampled_from(["en", "es"]))
)


def joins(part: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    many = st.lists(part, min_size=2, max_size=3)
    return st.builds(joined, st.just(And), many) | st.builds(joined, st.just(Or), many) | st.builds(Not, part)


trees = st.recursive(leaf, joins, max_leaves=6)
texts = st.lists(st.sampled_from(["water", "bill", "gas", "leak", "main", "@gas", "#leak", "x"]), max_size=8)
posts = st.builds(lambda w, lang: said(" ".join(w), lang), texts, st.sampled_from([None, "en", "es"]))


@given(trees)
def test_a_printed_query_reads_the_same(tree: Node) -> None:
    query = Query(joined(And, [tree, Words(("always",))]))
    assert parse(str(query)) == query


@given(trees, trees, trees, posts)
def test_laws_of_boolean_algebra(a: Node, b: Node, c: Node, post: Mention) -> None:
    subject = subject_of(post)

    def true(node: Node) -> bool:
        return holds(node, subject)

    assert true(joined(And, [a, b])) == true(joined(And, [b, a])) == (true(a) and true(b))
    assert true(joined(Or, [a, b])) == true(joined(Or, [b, a])) == (true(a) or true(b))
    assert true(Not(joined(And, [a, b]))) == true(joined(Or, [Not(a), Not(b)]))
    assert true(joined(And, [a, joined(Or, [b, c])])) == true(joined(Or, [joined(And, [a, b]), joined(And, [a, c])]))
    assert true(Not(Not(a))) == true(a)
    assert true(joined(Or, [a, Not(a)]))


@given(words | prefix, words | prefix, st.integers(0, 4), posts)
def test_near_is_symmetric_grows_with_distance_and_agrees_with_counting(
    a: Words | Prefix, b: Words | Prefix, distance: int, post: Mention
) -> None:
    subject = subject_of(post)

    def spans(node: Words | Prefix) -> list[tuple[int, int]]:
        if isinstance(node, Prefix):
            return [(i, i) for i, w in enumerate(subject.words) if w.startswith(node.start)]
        n = len(node.words)
        return [(i, i + n - 1) for i in range(len(subject.words)) if subject.words[i : i + n] == node.words]

    gaps = [max(y - x for x, y in ((a1, b0), (b1, a0))) - 1 for a0, a1 in spans(a) for b0, b1 in spans(b)]
    counted = any(0 <= gap <= distance for gap in gaps)
    assert holds(Near(a, b, distance), subject) == holds(Near(b, a, distance), subject) == counted
    assert not counted or holds(Near(a, b, distance + 1), subject)


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert folded(folded(text)) == folded(text)


def test_settings_exclude_phrases() -> None:
    query = from_settings(settings.Query(text="maple harbor", exclude=("now hiring", "...")))
    assert matches(query, said("Maple Harbor floods"))
    assert not matches(query, said("Maple Harbor is now hiring"))


def test_many_queries_share_one_look_at_the_mention() -> None:
    queries = {"water": parse("water"), "gas": parse("gas"), "both": parse("water gas")}
    assert matching(queries, subject_of(said("water!"))) == ["water"]


@pytest.mark.parametrize(
    ("query", "mastodon", "bluesky"),
    [
        ('"maple harbor"', ("mapleharbor",), ('"maple harbor"',)),
        ("@city OR #flood", ("city", "flood"), ("@city", "#flood")),
        ("water (bill OR leak)", ("water",), ("water bill", "water leak")),
        ("water NOT gas", ("water",), ("water",)),
        ("wat*", (), ()),
        ("wat* bill", ("bill",), ("bill",)),
        ("water NEAR/3 bill", (), ("water bill",)),
        ("water lang:es", ("water",), ("water lang:es",)),
        ("lang:es", (), ()),
        ("water list:jobs", ("water",), ('water "we are hiring"', 'water "vacante"')),
    ],
)
def test_what_a_source_can_be_asked(query: str, mastodon: tuple[str, ...], bluesky: tuple[str, ...]) -> None:
    read = parse(query, LISTS)
    assert terms_for(read, "bluesky") == bluesky
    assert terms_for(read, "mastodon") == mastodon


def test_what_a_source_cannot_be_asked_is_named() -> None:
    query = parse("wat* place:ohio water NOT gas")
    assert unsaid_by(query, "bluesky") == ("wat*", 'place:"ohio"', "NOT gas")


def test_no_query_makes_more_searches_than_a_run_can_send() -> None:
    query = parse(" ".join(f"(a{i} OR b{i} OR c{i})" for i in range(20)))
    assert 0 < len(terms_for(query, "bluesky")) <= 24
