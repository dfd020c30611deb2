import csv
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.pii import mask

MASKED = [
    ("write to pat.lee+city@example.org please", "write to [email] please"),
    ("PAT@EXAMPLE.ORG.", "[email]."),
    ("pat (at) example (dot) org", "[email]"),
    ("my mail: pat.lee at example dot com", "my mail: [email]"),
    ("escribe a marta arroba ejemplo punto es", "escribe a [email]"),
    ("call (212) 555-0142 after 5", "call [phone] after 5"),
    ("212-555-0142", "[phone]"),
    ("212.555.0142 ext. 12", "[phone]"),
    ("+1 212 555 0142", "[phone]"),
    ("text me 555-0142", "text me [phone]"),
    ("2125550142 is mine", "[phone] is mine"),
    ("llámame al 612 34 56 78", "llámame al [phone]"),
    ("tel. 915550123", "tel. [phone]"),
    ("+34 612 345 678 gracias", "[phone] gracias"),
    ("+44 20 7946 0018", "[phone]"),
    ("２１２－５５５－０１４２", "[phone]"),
    ("٢١٢-٥٥٥-٠١٤٢", "[phone]"),
    ("2\u200b12555\u200b0142", "[phone]"),
    ("paid with 4111 1111 1111 1111 exp 12/27", "paid with [card] exp 12/27"),
    ("5555-5555-5555-4444", "[card]"),
    ("amex 378282246310005", "amex [card]"),
    ("my social is 219-09-9999", "my social is [ssn]"),
    ("SSN: 219099999", "SSN: [ssn]"),
    ("https://wa.me/12125550142", "https://wa.me/[phone]"),
]
LEFT = [
    "",
    "case 2125550142 still open",
    "SR-212-555-0142",
    "my ticket number is 612345678",
    "expediente 912345678 sin respuesta",
    "meeting on 2026-03-02 15:30, again 03/09/2026 1400",
    "the project cost $2125550142",
    "612345678 euros de deuda",
    "at 40.712776, -74.005974",
    "buses 212 315 4040 are all late",
    "12345 Main Street, Apt 4, 10025-1234",
    "https://example.org/status/2125550142?id=6123456789",
    "@maria@social.example said so",
    "look at example dot com",
    "dial 311 or 911",
    "1700000000 seconds",
    "4111 1111 1111 1112 fails Luhn",
    "1234 5678 9012 3456 is no issuer",
    "666-12-3456 and 000-12-3456 and 912-34-5678 are no social security numbers",
    "850-1200 people came",
    "Line 6 to stop 70123 at 8:15",
]


@pytest.mark.parametrize(("text", "expected"), MASKED)
def test_personal_data_is_masked(text: str, expected: str) -> None:
    assert mask(text).text == expected


@pytest.mark.parametrize("text", LEFT)
def test_other_numbers_stay(text: str) -> None:
    masked = mask(text)
    assert (masked.text, masked.found) == (text, {})


def test_each_kind_is_counted() -> None:
    masked = mask("a@example.org, b@example.org, 212-555-0142, 4111111111111111, 219-09-9999")
    assert masked.found == {"email": 2, "phone": 1, "card": 1, "ssn": 1}
    assert masked.text == "[email], [email], [phone], [card], [ssn]"


@pytest.mark.parametrize("text", ["call 212-555-0142", "mail desk@city.example now", "+34 915 550 123"])
def test_the_agencys_own_are_kept(text: str) -> None:
    keep = {"2125550142", "desk@city.example", "+34915550123"}
    assert mask(text).text != text
    assert mask(text, keep=keep).text == text


pieces = st.sampled_from(
    [
        "212",
        "555",
        "0142",
        "-",
        " ",
        ".",
        "(",
        ")",
        "+1",
        "+34",
        "612345678",
        "@",
        "a",
        "example.org",
        " at ",
        " dot ",
        "com",
        "4111",
        "1111",
        "219",
        "09",
        "9999",
        "[",
        "]",
        "ssn ",
        "call ",
        "\u200b",
        "２",
        "/",
        "x12",
        "#",
        "$",
        "\n",
    ]
)


@given(st.lists(pieces, max_size=24).map("".join) | st.text(max_size=60))
def test_masking_twice_is_masking_once(text: str) -> None:
    once = mask(text)
    assert mask(once.text).text == once.text
    assert sum(once.found.values()) <= once.text.count("[")


@pytest.mark.parametrize(
    "bit",
    [
        "a",
        "a@",
        "a.a@a.",
        "1",
        "1 ",
        "4 4",
        "212-555-0142 ",
        "+1",
        "1-",
        "a at a dot ",
        "(",
        "6 12 34 ",
        "44 ",
        "@",
        "(+1",
        "https://",
        "call 212 ",
        "4111 1111 1111 1112 ",
        "[phone] 212 ",
    ],
)
def test_hostile_text_takes_time_in_proportion_to_its_length(bit: str) -> None:
    def seconds(length: int) -> float:
        text = (bit * length)[:length]
        start = time.process_time()
        mask(text)
        return time.process_time() - start

    assert seconds(100_000) < max(2.0, 20 * seconds(20_000))


def test_masking_loads_no_model() -> None:
    code = "import sys, nlp.pii, nlp.clean; assert not {'torch', 'transformers', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_recall_and_false_alarms_on_the_texts_we_wrote() -> None:
    with (Path(__file__).parents[2] / "nlp" / "texts" / "pii.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    wanted: Counter[str] = Counter()
    found: Counter[str] = Counter()
    false: Counter[str] = Counter()
    for row in rows:
        here = Counter(re.findall(r"\[(email|phone|card|ssn)\]", row["masked"]))
        got = Counter(mask(row["text"]).found)
        wanted += here
        found += here & got
        false += got - here
    assert false == Counter()
    assert sum(row["text"] == row["masked"] for row in rows) >= 60
    recall = {kind: found[kind] / wanted[kind] for kind in wanted}
    assert recall["card"] == recall["ssn"] == 1.0
    assert recall["email"] >= 0.95
    assert recall["phone"] >= 0.85
