import csv
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nlp.language import LANGUAGES, identify

SENTENCES = [
    ("The street light on our corner has been out for weeks", "en"),
    ("La farola de nuestra esquina lleva semanas apagada", "es"),
    ("O poste da nossa esquina está apagado há semanas e ninguém veio", "pt"),
    ("Le lampadaire au coin de notre rue est en panne depuis des semaines", "fr"),
    ("Die Laterne an unserer Ecke ist seit Wochen kaputt", "de"),
    ("Il lampione del nostro angolo è spento da settimane e nessuno risponde", "it"),
    ("عمود الإنارة في زاوية شارعنا معطل منذ أسابيع", "ar"),
    ("हमारी गली की बत्ती कई हफ्तों से बंद है", "hi"),
    ("我们街角的路灯已经坏了好几个星期", "zh"),
    ("Đèn đường ở góc phố chúng tôi đã hỏng mấy tuần nay rồi", "vi"),
    ("Ilang linggo nang sira ang ilaw sa kanto namin, paki-ayos naman po", "tl"),
    ("우리 동네 가로등이 몇 주째 꺼져 있어요", "ko"),
    ("Фонарь на нашем углу не горит уже несколько недель", "ru"),
    ("Latarnia na naszym rogu nie świeci się od tygodni", "pl"),
]
NOTHING = ["", "   ", "ok", "😡😡😡", "12:30", "https://example.org/a", "@someone", "jajajaja", "lol", "[phone]", "???"]


@pytest.mark.parametrize(("text", "expected"), SENTENCES)
def test_a_sentence_is_told(text: str, expected: str) -> None:
    [(tag, confidence)] = identify([text])
    assert tag == expected
    assert 0.3 < confidence <= 1


@pytest.mark.parametrize("text", NOTHING)
def test_too_little_is_undetermined(text: str) -> None:
    assert identify([text], claims=["es"])[0][0] == "und"


def test_code_is_undetermined() -> None:
    assert identify(["for (i = 0; i < n; i++) { a[i] += b[i]; }"])[0][0] == "und"


def test_a_claim_settles_a_close_call_only() -> None:
    close = ["gratis para todos"]
    assert [identify(close, claims=[claim])[0][0] for claim in ("es-MX", "pt", "ko")] == ["es", "pt", "pt"]
    assert [identify(close, likely=likely)[0][0] for likely in (("en", "es"), ())] == ["es", "pt"]
    sure = "The street light on our corner has been out for weeks"
    assert identify([sure], claims=["es"])[0][0] == "en"


def test_each_text_is_told_alone_and_in_order() -> None:
    texts = [text for text, _ in SENTENCES] + NOTHING
    together = identify(texts)
    assert together == [identify([text])[0] for text in texts]
    assert identify([]) == []


def test_at_least_twenty_languages_are_known() -> None:
    assert len(set(LANGUAGES)) == len(LANGUAGES) >= 20


def test_our_texts_are_told() -> None:
    with (Path(__file__).parents[2] / "nlp" / "texts" / "needs.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if len(row["text"]) >= 40]
    told = identify([row["text"] for row in rows])
    right = sum(tag == row["lang"] for (tag, _), row in zip(told, rows, strict=True))
    assert right / len(rows) >= 0.985


def test_real_short_posts_are_told(shared: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_parquet(shared / "data/train/sentiment_umsab.parquet").sample(1500, random_state=4)
    frame = frame[frame.lang != "hi"]  # romanised Hindi there, which no model here knows
    start = time.process_time()
    told = [tag for tag, _ in identify(frame.text.tolist(), claims=frame.lang.tolist())]
    assert len(frame) / (time.process_time() - start) > 1000
    right = frame.lang == told
    short = frame.text.map(lambda text: len(re.sub(r"@\S+|http\S+", "", text).strip()) < 40)
    assert right.mean() >= 0.95
    assert right[short].mean() >= 0.80


def test_the_models_load_when_first_asked() -> None:
    code = "import sys, nlp.language; assert 'lingua' not in sys.modules and 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
