"""Scores, what counts of them, roll-ups, calls and forecasts.

Revision: 0002
Follows: 0001
"""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TIME = sqlmodel.sql.sqltypes.UTCDateTime()
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

#: A forecast is never changed; retention may delete it.
FROZEN = {
    "sqlite": (
        "CREATE TRIGGER forecast_frozen BEFORE UPDATE ON forecast BEGIN "
        "SELECT RAISE(ABORT, 'a forecast is never changed'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION forecast_frozen() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'a forecast is never changed'; END $$",
        "CREATE TRIGGER forecast_frozen BEFORE UPDATE ON forecast FOR EACH ROW EXECUTE FUNCTION forecast_frozen()",
    ),
}


def upgrade() -> None:
    op.create_table(
        "score",
        sa.Column("id", ID, nullable=False),
        sa.Column("mention_id", ID, nullable=False),
        sa.Column("text_hash", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("revision", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("about_us", sa.Float(), nullable=False),
        sa.Column("needs_answer", sa.Float(), nullable=False),
        sa.Column("negative", sa.Float(), nullable=False),
        sa.Column("neutral", sa.Float(), nullable=False),
        sa.Column("positive", sa.Float(), nullable=False),
        sa.Column("topics", sa.JSON(), nullable=False),
        sa.Column("urgency", sa.Float(), nullable=False),
        sa.Column("safety", sa.Float(), nullable=False),
        sa.Column("unsure", sa.JSON(), nullable=False),
        sa.Column("scored_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["mention_id"], ["mention_key.id"], name=op.f("fk_score_mention_id_mention_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score")),
        sa.UniqueConstraint(
            "mention_id", "text_hash", "model", "revision", name=op.f("uq_score_mention_id_text_hash_model_revision")
        ),
    )
    op.create_table(
        "score_vector",
        sa.Column("mention_id", ID, nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mention_id"], ["mention_key.id"], name=op.f("fk_score_vector_mention_id_mention_key")
        ),
        sa.PrimaryKeyConstraint("mention_id", name=op.f("pk_score_vector")),
    )
    op.create_index(op.f("ix_score_vector_at"), "score_vector", ["at"], unique=False)
    op.create_table(
        "reading",
        sa.Column("mention_id", ID, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("text_hash", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("about_us", sa.Float(), nullable=False),
        sa.Column("needs_answer", sa.Float(), nullable=False),
        sa.Column("urgency", sa.Float(), nullable=False),
        sa.Column("safety", sa.Float(), nullable=False),
        sa.Column("needs", sa.Boolean(), nullable=False),
        sa.Column("waiting", sa.Boolean(), nullable=False),
        sa.Column("undecided", sa.Boolean(), nullable=False),
        sa.Column("assignee", sa.String(), nullable=True),
        sa.Column("answered_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["mention_id"], ["mention_key.id"], name=op.f("fk_reading_mention_id_mention_key")),
        sa.PrimaryKeyConstraint("mention_id", name=op.f("pk_reading")),
    )
    op.create_index(op.f("ix_reading_model_mention_id"), "reading", ["model", "mention_id"], unique=False)
    op.create_index(
        "ix_reading_newest",
        "reading",
        ["at", "mention_id"],
        unique=False,
        sqlite_where=sa.text("waiting = 1"),
        postgresql_where=sa.text("waiting"),
    )
    op.create_index(
        "ix_reading_topic",
        "reading",
        ["topic", "mention_id"],
        unique=False,
        sqlite_where=sa.text("waiting = 1"),
        postgresql_where=sa.text("waiting"),
    )
    op.create_index(
        "ix_reading_undecided",
        "reading",
        ["mention_id"],
        unique=False,
        sqlite_where=sa.text("undecided = 1"),
        postgresql_where=sa.text("undecided"),
    )
    op.create_index(
        "ix_reading_urgent",
        "reading",
        ["urgency", "mention_id", "assignee", "label", "safety", "waiting"],
        unique=False,
        sqlite_where=sa.text("waiting = 1"),
        postgresql_where=sa.text("waiting"),
    )
    op.create_table(
        "reading_topic",
        sa.Column("mention_id", ID, nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mention_id"], ["mention_key.id"], name=op.f("fk_reading_topic_mention_id_mention_key")
        ),
        sa.PrimaryKeyConstraint("mention_id", "topic", name=op.f("pk_reading_topic")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "correction",
        sa.Column("id", ID, nullable=False),
        sa.Column("mention_id", ID, nullable=False),
        sa.Column("head", sa.String(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["mention_id"], ["mention_key.id"], name=op.f("fk_correction_mention_id_mention_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
    )
    op.create_index(op.f("ix_correction_at"), "correction", ["at"], unique=False)
    op.create_index(op.f("ix_correction_mention_id"), "correction", ["mention_id"], unique=False)
    op.create_table(
        "mention_hour",
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("hour", TIME, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("sentiment", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("needs_answer", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "topic", "hour", "source", "platform", "language", "sentiment", name=op.f("pk_mention_hour")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_mention_hour_hour"), "mention_hour", ["hour"], unique=False)
    op.create_table(
        "mention_day",
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("sentiment", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("needs_answer", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "topic", "day", "source", "platform", "language", "sentiment", name=op.f("pk_mention_day")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_mention_day_day_source"), "mention_day", ["day", "source"], unique=False)
    op.create_table(
        "dirty_hour",
        sa.Column("hour", TIME, nullable=False),
        sa.Column("marks", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hour", name=op.f("pk_dirty_hour")),
    )
    op.create_table(
        "call_record",
        sa.Column("id", ID, nullable=False),
        sa.Column("queue", sa.String(), nullable=False),
        sa.Column("start", TIME, nullable=False),
        sa.Column("step_seconds", sa.Integer(), nullable=False),
        sa.Column("offered", sa.Float(), nullable=False),
        sa.Column("answered", sa.Float(), nullable=True),
        sa.Column("abandoned", sa.Float(), nullable=True),
        sa.Column("handle_time", sa.Float(), nullable=True),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.Column("newest", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_record")),
        sa.UniqueConstraint("queue", "start", "recorded_at", name=op.f("uq_call_record_queue_start_recorded_at")),
    )
    op.create_index(
        "ix_call_record_newest",
        "call_record",
        ["queue", "start"],
        unique=False,
        sqlite_where=sa.text("newest = 1"),
        postgresql_where=sa.text("newest"),
    )
    op.create_table(
        "forecast",
        sa.Column("id", ID, nullable=False),
        sa.Column("series", sa.String(), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("start", TIME, nullable=False),
        sa.Column("step_seconds", sa.Integer(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("quantiles", sa.LargeBinary(), nullable=False),
        sa.Column("spike_probability", sa.LargeBinary(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=True),
        sa.Column("stored_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forecast")),
        sa.UniqueConstraint("series", "made_at", "model", name=op.f("uq_forecast_series_made_at_model")),
    )
    for statement in FROZEN[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    for table in (
        "forecast",
        "call_record",
        "dirty_hour",
        "mention_day",
        "mention_hour",
        "correction",
        "reading_topic",
        "reading",
        "score_vector",
        "score",
    ):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION forecast_frozen")
