"""Posts a second: the whole classifier against transformers.pipeline on the same encoder, in one run.

`python -m benchmarks.scoring [--texts 512] [--threads 2] [--json]`. "one pass" is one pipeline: one label from one
head. Our model has two branches (an adapted one for tone, the published one for topics and the vector), so the same
model in transformers is two pipelines: "both branches". The classifier gives language, all heads and the vector.
Texts are those we wrote. Rounds alternate and the best of each counts, so that a busy machine hurts all alike.
"""

import argparse
import json
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.scores import Passage
from core.settings import Agency, Settings
from jobs.model_cache import model_cache
from nlp import base, classifier, data

ROUNDS = 3


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=512)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cache", type=Path, default=model_cache(Settings()))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    figures = measure(given.texts, given.threads, given.cache)
    if given.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:<44} {value:>10.1f}" if isinstance(value, float) else f"{name:<44} {value:>10}")


def measure(count: int, threads: int, cache: Path) -> dict[str, Any]:
    """All figures, by name."""
    texts = list(data.needs_rows()["text"].sample(count, random_state=1, replace=count > 900))
    started = time.perf_counter()
    ours = classifier.load(None, threads=threads, cache=cache, agency=Agency(names=("City of Maple Harbor",)))
    ours.classify([Passage(text=texts[0])])
    ready = time.perf_counter() - started
    passages = [Passage(text=text) for text in texts]
    ours.classify(passages)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    peer, features = pipeline(threads), extractor()
    some = texts[: max(64, count // 4)]
    rates, shares = best(
        {
            "openear": lambda: ours.classify(passages),
            "one pass, one at a time": lambda: [peer(text) for text in some],
            "both branches, one at a time": lambda: [(peer(text), features(text)) for text in some],
            "one pass, batches of 32": lambda: peer(texts, batch_size=32),
        },
        {
            "openear": count,
            "one pass, one at a time": len(some),
            "both branches, one at a time": len(some),
            "one pass, batches of 32": count,
        },
    )
    return {
        "texts": count,
        "threads": threads,
        "runtime": ours.runtime,
        "load to first score, s": ready,
        "memory of the scorer, MiB": memory,
        **{f"{name}, posts/s": rate for name, rate in rates.items()},
        **{f"{name}, posts/CPU-s": rate for name, rate in shares.items()},
        **{f"ratio to {name}": rates["openear"] / rate for name, rate in rates.items() if name != "openear"},
        **{f"ratio to {name}, CPU": shares["openear"] / rate for name, rate in shares.items() if name != "openear"},
        "load of the machine": os.getloadavg()[0],
    }


def best(tasks: dict[str, Callable[[], object]], counts: dict[str, int]) -> tuple[dict[str, float], dict[str, float]]:
    """The best rate of each task over a few alternating rounds, by the clock and by the processor's time."""
    rates, shares = dict.fromkeys(tasks, 0.0), dict.fromkeys(tasks, 0.0)
    for _ in range(ROUNDS):
        for name, task in tasks.items():
            started, used = time.perf_counter(), time.process_time()
            task()
            rates[name] = max(rates[name], counts[name] / (time.perf_counter() - started))
            shares[name] = max(shares[name], counts[name] / (time.process_time() - used))
    return rates, shares


def extractor() -> Callable[..., Any]:
    """Transformers' feature extraction on the published encoder: what topics and the vector need."""
    from transformers import AutoTokenizer, BertModel, pipelines

    folder = base.locate().weights.parent
    model = BertModel.from_pretrained(folder)
    model.train(False)
    made: Any = pipelines.pipeline("feature-extraction", model=model, tokenizer=AutoTokenizer.from_pretrained(folder))
    return lambda text: made(text, truncation=True, max_length=128, return_tensors=True)


def pipeline(threads: int) -> Callable[..., Any]:
    """Transformers' text classification on the published encoder, with a head of three labels."""
    import torch
    from transformers import AutoTokenizer, BertForSequenceClassification, TextClassificationPipeline

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    folder = base.locate().weights.parent
    model = BertForSequenceClassification.from_pretrained(folder, num_labels=3)
    model.train(False)
    made: Any = TextClassificationPipeline(  # type: ignore[no-untyped-call]
        model=model, tokenizer=AutoTokenizer.from_pretrained(folder), device="cpu"
    )
    return lambda texts, **options: made(texts, truncation=True, max_length=128, **options)


if __name__ == "__main__":
    main()
