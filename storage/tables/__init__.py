"""Every table. Only `storage/` reads this file; everyone else speaks to the nouns beside it.

Times are aware and UTC. Ids are BIGINT. On PostgreSQL `mention` is partitioned by month of `at`, so everything that
points at a mention points at `mention_key`, which is not. There is deliberately no column for a follower count,
a verified mark or a reach: every resident is equal.
"""

from typing import cast

from sqlalchemy import Table
from sqlmodel import SQLModel

from storage.tables.cases import Alert, Case, CaseLink, Hold, Reply
from storage.tables.flows import CallRecord, DirtyHour, ForecastRecord, MentionDay, MentionHour
from storage.tables.mentions import Handle, Mention, MentionKey, MentionVersion, PseudonymEpoch, Repost, Sighting
from storage.tables.readings import Correction, Reading, ReadingTopic, Score, ScoreVector
from storage.tables.sources import CoverageHour, Gap, HostBudget, RejectedItem, Source
from storage.tables.work import AuditHead, AuditRow, PersonRow, Request, SignIn, WorkUnit

metadata = SQLModel.metadata


def _table(model: type[SQLModel]) -> Table:
    return cast("Table", model.__table__)  # type: ignore[attr-defined]


mention_key = _table(MentionKey)
mention = _table(Mention)
mention_version = _table(MentionVersion)
sighting = _table(Sighting)
handle = _table(Handle)
repost = _table(Repost)
pseudonym_epoch = _table(PseudonymEpoch)
score = _table(Score)
score_vector = _table(ScoreVector)
reading = _table(Reading)
reading_topic = _table(ReadingTopic)
correction = _table(Correction)
cases = _table(Case)
case_link = _table(CaseLink)
reply = _table(Reply)
call_record = _table(CallRecord)
forecast = _table(ForecastRecord)
mention_hour = _table(MentionHour)
mention_day = _table(MentionDay)
dirty_hour = _table(DirtyHour)
source = _table(Source)
coverage_hour = _table(CoverageHour)
gap = _table(Gap)
rejected_item = _table(RejectedItem)
host_budget = _table(HostBudget)
work_unit = _table(WorkUnit)
audit = _table(AuditRow)
audit_head = _table(AuditHead)
person = _table(PersonRow)
sign_in = _table(SignIn)
request = _table(Request)
hold = _table(Hold)
alert = _table(Alert)
