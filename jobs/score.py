"""Passages to scores. Runs in the one process that holds the model."""

from core.actor import job
from jobs.build import Runtime
from storage import mentions, scores, work
from storage.work import Unit

ACTOR = job("score")


def score(runtime: Runtime, unit: Unit) -> None:
    """The stage: read the unit's mentions, store their scores, order the linking of them.

    The key of a score is (mention, text hash, model, revision): scoring twice adds nothing.
    """
    ids = [int(i) for i in unit.payload["ids"]]
    with runtime.store.read() as read:
        passages = mentions.passages(read, ids)
    results = runtime.classifier.classify([passage for _, passage in passages])
    now = runtime.clock()
    scored = [(i, mentions.text_hash(p.text), result) for (i, p), result in zip(passages, results, strict=True)]
    with runtime.store.write() as tx:
        scores.add(tx, scored, now)
        work.add(tx, "link", f"link:after:{unit.id}", {}, now, "live")
