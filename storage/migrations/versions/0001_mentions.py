"""What was said, who saw it, tombstones, and the search index.

Revision: 0001
Follows: nothing
"""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TIME = sqlmodel.sql.sqltypes.UTCDateTime()
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

#: SQLite's search index keeps no text of its own. Triggers keep it in step, so that no writer can forget it.
SEARCH = (
    "CREATE VIRTUAL TABLE mention_search USING fts5("
    "text, content='mention', content_rowid='id', tokenize='unicode61 remove_diacritics 2')",
    "CREATE TRIGGER mention_search_add AFTER INSERT ON mention BEGIN "
    "INSERT INTO mention_search(rowid, text) VALUES (new.id, new.text); END",
    "CREATE TRIGGER mention_search_edit AFTER UPDATE OF text ON mention BEGIN "
    "INSERT INTO mention_search(mention_search, rowid, text) VALUES ('delete', old.id, old.text); "
    "INSERT INTO mention_search(rowid, text) VALUES (new.id, new.text); END",
    "CREATE TRIGGER mention_search_drop AFTER DELETE ON mention BEGIN "
    "INSERT INTO mention_search(mention_search, rowid, text) VALUES ('delete', old.id, old.text); END",
)


def upgrade() -> None:
    op.create_table(
        "mention_key",
        sa.Column("id", ID, nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("text_hash", sa.String(), nullable=False),
        sa.Column("edited_at", TIME, nullable=True),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("checked_at", TIME, nullable=False),
        sa.Column("gone_at", TIME, nullable=True),
        sa.Column("gone_reason", sa.String(), nullable=True),
        sa.Column("scrubbed_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mention_key")),
        sa.UniqueConstraint("platform", "external_id", name=op.f("uq_mention_key_platform_external_id")),
    )
    op.create_index(
        "ix_mention_key_gone",
        "mention_key",
        ["gone_at"],
        unique=False,
        sqlite_where=sa.text("gone_at IS NOT NULL AND scrubbed_at IS NULL"),
        postgresql_where=sa.text("gone_at IS NOT NULL AND scrubbed_at IS NULL"),
    )
    op.create_index(
        "ix_mention_key_living",
        "mention_key",
        ["at"],
        unique=False,
        sqlite_where=sa.text("gone_at IS NULL"),
        postgresql_where=sa.text("gone_at IS NULL"),
    )
    op.create_index(
        "ix_mention_key_recheck",
        "mention_key",
        ["source", "checked_at"],
        unique=False,
        sqlite_where=sa.text("gone_at IS NULL"),
        postgresql_where=sa.text("gone_at IS NULL"),
    )
    postgres = op.get_bind().dialect.name == "postgresql"
    op.create_table(
        "mention",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("visibility", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("posted_at", TIME, nullable=True),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("parent", sa.String(), nullable=True),
        sa.Column("root", sa.String(), nullable=True),
        sa.Column("author", sa.String(), nullable=True),
        sa.Column("author_epoch", sa.String(), nullable=True),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.Column("stars", sa.Float(), nullable=True),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("media", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["mention_key.id"], name=op.f("fk_mention_id_mention_key")),
        sa.PrimaryKeyConstraint(*(["id", "at"] if postgres else ["id"]), name=op.f("pk_mention")),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index(op.f("ix_mention_at"), "mention", ["at"], unique=False)
    op.create_index(
        "ix_mention_author",
        "mention",
        ["author"],
        unique=False,
        sqlite_where=sa.text("author IS NOT NULL"),
        postgresql_where=sa.text("author IS NOT NULL"),
    )
    op.create_index(
        "ix_mention_root",
        "mention",
        ["root"],
        unique=False,
        sqlite_where=sa.text("root IS NOT NULL"),
        postgresql_where=sa.text("root IS NOT NULL"),
    )
    op.create_table(
        "mention_version",
        sa.Column("id", ID, nullable=False),
        sa.Column("mention_id", ID, nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("replaced_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["mention_id"], ["mention_key.id"], name=op.f("fk_mention_version_mention_id_mention_key")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mention_version")),
    )
    op.create_index(op.f("ix_mention_version_mention_id"), "mention_version", ["mention_id"], unique=False)
    op.create_table(
        "sighting",
        sa.Column("mention_id", ID, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("query_version", sa.Integer(), nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["mention_id"], ["mention_key.id"], name=op.f("fk_sighting_mention_id_mention_key")),
        sa.PrimaryKeyConstraint("mention_id", "source", name=op.f("pk_sighting")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "handle",
        sa.Column("pseudonym", sa.String(), nullable=False),
        sa.Column("epoch", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("pseudonym", name=op.f("pk_handle")),
    )
    op.create_index(op.f("ix_handle_epoch"), "handle", ["epoch"], unique=False)
    op.create_table(
        "repost",
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("original", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("gone_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("platform", "external_id", name=op.f("pk_repost")),
    )
    op.create_index(op.f("ix_repost_platform_original"), "repost", ["platform", "original"], unique=False)
    op.create_table(
        "pseudonym_epoch",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("destroyed_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_pseudonym_epoch")),
    )
    if postgres:
        op.execute(
            "CREATE TABLE mention_old PARTITION OF mention FOR VALUES FROM (MINVALUE) TO ('2000-01-01 00:00:00+00')"
        )
        op.execute(
            "ALTER TABLE mention ADD COLUMN search tsvector GENERATED ALWAYS AS (to_tsvector('simple', left(text, 100000))) STORED"
        )
        op.execute("CREATE INDEX ix_mention_search ON mention USING gin (search)")
    else:
        for statement in SEARCH:
            op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE mention_search")
    for table in ("pseudonym_epoch", "repost", "handle", "sighting", "mention_version", "mention", "mention_key"):
        op.drop_table(table)
