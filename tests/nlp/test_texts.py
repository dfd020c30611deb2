"""The texts we wrote: enough, labelled both ways, and nothing of the training part in the testing part."""

import csv
import re
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path

import pytest

TEXTS = Path(__file__).parents[2] / "nlp" / "texts"
LABELS = ("needs_answer", "urgency", "safety", "about_us")
Row = dict[str, str]


def rows(name: str) -> list[Row]:
    with (TEXTS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def normal(text: str) -> str:
    return "_".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text).lower()))


def shingles(text: str) -> set[str]:
    words = normal(text)
    return {words[at : at + 6] for at in range(max(1, len(words) - 5))}


def nearest(train: list[Row], test: list[Row]) -> list[tuple[float, str, str]]:
    """Pairs across the parts by the share of the shorter text's six-letter shingles, most alike first."""
    index: defaultdict[str, list[int]] = defaultdict(list)
    trained = [shingles(row["text"]) for row in train]
    for number, known in enumerate(trained):
        for shingle in known:
            index[shingle].append(number)
    pairs = []
    for row in test:
        mine = shingles(row["text"])
        common = Counter(number for shingle in mine for number in index[shingle])
        pairs += [
            (count / min(len(mine), len(trained[number])), row["text"], train[number]["text"])
            for number, count in common.items()
        ]
    return sorted(pairs, reverse=True)


def parts(name: str) -> tuple[list[Row], list[Row]]:
    found = rows(name)
    return [r for r in found if r["part"] == "train"], [r for r in found if r["part"] == "test"]


def test_there_are_enough_in_both_languages() -> None:
    found = rows("needs.csv")
    assert list(found[0]) == ["text", "lang", "part", *LABELS, "agency", "family", "note"]
    assert len(found) >= 900
    assert 0.35 <= sum(row["lang"] == "es" for row in found) / len(found) <= 0.45
    assert {row["lang"] for row in found} == {"en", "es"}
    assert len({row["agency"] for row in found}) >= 10


@pytest.mark.parametrize("lang", ["en", "es"])
@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize("label", LABELS)
def test_each_label_holds_and_does_not_hold_in_each_part(label: str, part: str, lang: str) -> None:
    values = Counter(row[label] for row in rows("needs.csv") if (row["part"], row["lang"]) == (part, lang))
    assert set(values) == {"0", "1"}
    assert min(values.values()) >= 12


def test_labels_obey_their_definitions() -> None:
    for row in rows("needs.csv"):
        if row["safety"] == "1":
            assert row["urgency"] == "1", row["text"]
        if row["needs_answer"] == "1":
            assert row["about_us"] == "1", row["text"]


@pytest.mark.parametrize("name", ["needs.csv", "stance.csv"])
def test_a_third_is_for_testing_and_no_family_or_near_copy_straddles(name: str) -> None:
    train, test = parts(name)
    assert 0.30 <= len(test) / (len(train) + len(test)) <= 0.37
    assert not {row["family"] for row in train} & {row["family"] for row in test}
    share, ours, theirs = nearest(train, test)[0]
    assert share < 0.5, (ours, theirs)


@pytest.mark.parametrize("name", ["needs.csv", "stance.csv"])
def test_no_text_comes_twice(name: str) -> None:
    counts = Counter(normal(row["text"]) or row["text"] for row in rows(name))
    assert counts.most_common(1)[0][1] == 1


def test_no_opening_is_a_template() -> None:
    openings = Counter("_".join(normal(row["text"]).split("_")[:4]) for row in rows("needs.csv"))
    assert openings.most_common(1)[0][1] <= 5


def test_the_texts_hold_no_personal_data() -> None:
    from nlp.pii import mask

    for name in ("needs.csv", "stance.csv"):
        for row in rows(name):
            assert mask(row["text"]).found == {}, row["text"]


def test_stance_has_each_label_in_each_part_and_language() -> None:
    counts = Counter((row["part"], row["lang"], row["label"]) for row in rows("stance.csv"))
    assert len(rows("stance.csv")) == 150
    assert len(counts) == 12
    assert min(counts.values()) >= 5


def test_parity_pairs_differ_in_their_term_only() -> None:
    found = rows("parity.csv")
    assert len(found) >= 60
    assert {row["kind"] for row in found} == {"dialect", "identity", "name"}
    for row in found:
        assert row["text_a"] != row["text_b"]
        if row["kind"] != "dialect":
            assert row["text_a"].replace(row["term_a"], "") == row["text_b"].replace(row["term_b"], ""), row


@pytest.mark.parametrize("name", ["needs.csv", "stance.csv", "parity.csv", "pii.csv"])
def test_the_documented_number_of_rows_is_the_real_one(name: str) -> None:
    documented = (TEXTS.parents[1] / "docs" / "texts.md").read_text("utf-8")
    assert f"| `nlp/texts/{name}` | {len(rows(name))} " in documented


def test_the_documented_labels_are_the_real_ones() -> None:
    documented = (TEXTS.parents[1] / "docs" / "texts.md").read_text("utf-8")
    for part in ("train", "test"):
        for lang, language in (("en", "English"), ("es", "Spanish")):
            found = [row for row in rows("needs.csv") if (row["part"], row["lang"]) == (part, lang)]
            counts = [len(found), *(sum(row[label] == "1" for row in found) for label in LABELS)]
            assert f"| {part}, {language} | {' | '.join(map(str, counts))} |" in documented
