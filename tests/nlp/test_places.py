import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import SettingsError
from nlp.gazetteer import Entry, Gazetteer, load
from nlp.places import find

CSV = """name,aliases,kind,lat,lon
Main Street,,street,40.5,-75.25
5th Avenue,,street,,
Calle Mayor,,street,,
Calle del Pozo,,street,,
Avenida de la Paz,,street,,
Juniper Park,Juniper Playground;the Juniper,park,40.51,-75.2
Harbor Bridge,,bridge,,
Plaza Nueva,,square,,
"""


@pytest.fixture
def gazetteer(tmp_path: Path) -> Gazetteer:
    (tmp_path / "places.csv").write_text(CSV, "utf-8")
    return load(tmp_path / "places.csv")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("broken swing at juniper playground", [("Juniper Park", "park", "juniper playground")]),
        ("light out, 5th & Main", [("5th Avenue & Main Street", "intersection", "5th & Main")]),
        ("Main St and 5th Ave is dark", [("Main Street & 5th Avenue", "intersection", "Main St and 5th Ave")]),
        ("Fifth and main?", [("5th Avenue & Main Street", "intersection", "Fifth and main")]),
        (
            "calle Mayor con Avda. de la Paz",
            [("Calle Mayor & Avenida de la Paz", "intersection", "calle Mayor con Avda. de la Paz")],
        ),
        (
            "en Mayor esquina con calle del pozo",
            [("Calle Mayor & Calle del Pozo", "intersection", "Mayor esquina con calle del pozo")],
        ),
        ("hole at 118 Main St.", [("118 Main Street", "address", "118 Main St")]),
        ("118 main, by the deli", [("118 Main Street", "address", "118 main")]),
        ("olor a gas en calle Mayor, 22", [("Calle Mayor 22", "address", "calle Mayor, 22")]),
        ("CALLE MÁYOR nº 8", [("Calle Mayor 8", "address", "CALLE MÁYOR nº 8")]),
        ("flood on Main Street by the Harbor Bridge", [("Main Street", "street", "Main Street"),
                                                       ("Harbor Bridge", "bridge", "Harbor Bridge")]),
        ("Main St 118 5th Ave", [("Main Street 118", "address", "Main St 118"), ("5th Avenue", "street", "5th Ave")]),
        ("my 5 main reasons", []),
        ("the main problem is the 5th grade", []),
        ("el alcalde mayor de la plaza", []),
        ("", []),
    ],
)  # fmt: skip
def test_places_are_found(gazetteer: Gazetteer, text: str, expected: list[tuple[str, str, str]]) -> None:
    assert [(place.name, place.kind, place.words) for place in find(text, gazetteer)] == expected


def test_a_place_knows_where_it_is(gazetteer: Gazetteer) -> None:
    [park] = find("at Juniper Park", gazetteer)
    assert park.point == (40.51, -75.2)
    [crossing] = find("5th & Main", gazetteer)
    assert crossing.point is None


def test_geojson_gives_the_same_places(tmp_path: Path) -> None:
    feature = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [-75.2, 40.51]},
        "properties": {"name": "Juniper Park", "aliases": ["the Juniper"], "kind": "park"},
    }
    (tmp_path / "p.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), "utf-8")
    expected = Entry(name="Juniper Park", kind="park", point=(40.51, -75.2), aliases=("the Juniper",))
    assert load(tmp_path / "p.geojson").entries == (expected,)


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.json", "[1]"), ("b.json", "{"), ("c.csv", "street,kind\nMain,street\n"), ("d.csv", "name,kind\n ,park\n"),
     ("e.csv", "name,kind,lat,lon\nMain,street,north,west\n"), ("f.json", '{"features": [{"properties": {}}]}')],
)  # fmt: skip
def test_a_broken_file_says_what_it_must_be(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content, "utf-8")
    with pytest.raises(SettingsError, match=f"{name}.*GeoJSON FeatureCollection"):
        load(tmp_path / name)


ENTRIES = Gazetteer([
    Entry(name="Main Street", kind="street"), Entry(name="5th Avenue", kind="street"), Entry(name="Ash", kind="stop"),
])  # fmt: skip


@given(
    st.lists(st.sampled_from(["main", "5th", "st", "ave", "&", "and", "118", " ", ",", "ash", "é", "x"]), max_size=20)
)
def test_places_are_in_order_and_are_the_texts_own_words(pieces: list[str]) -> None:
    text = " ".join(pieces)
    end = 0
    for place in find(text, ENTRIES):
        assert end <= place.start < place.end
        assert text[place.start : place.end] == place.words
        end = place.end
