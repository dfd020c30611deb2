import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, IntegrityError

from core.errors import BadInput
from storage import engine, mentions
from storage.address import address
from storage.engine import Store, open_store
from tests.conftest import NOW, ROOT
from tests.storage.build import post, put
from tests.storage.conftest import emptied


def test_a_reader_cannot_write(store: Store) -> None:
    put(store, post())
    with pytest.raises(DatabaseError), store.read() as read:
        read.execute(text("DELETE FROM dirty_hour"))


def test_a_reader_sees_one_moment(store: Store) -> None:
    put(store, post(1))
    with store.read() as read:
        before = read.execute(text("SELECT count(*) FROM mention")).scalar_one()
        put(store, post(2))
        assert read.execute(text("SELECT count(*) FROM mention")).scalar_one() == before == 1


def test_an_error_undoes_everything(store: Store) -> None:
    def interrupted() -> None:
        with store.write() as tx:
            tx.execute(text("DELETE FROM audit_head"))
            raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        interrupted()
    with store.read() as read:
        assert read.execute(text("SELECT count(*) FROM audit_head")).scalar_one() == 1


def test_writers_wait_for_each_other(store: Store) -> None:
    """Read, then write: what SQLite's own deferred transactions refuse under load."""
    failed: list[Exception] = []

    def work(n: int) -> None:
        try:
            for i in range(10):
                put(store, post(f"{n}-{i}"))
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must say it
            failed.append(error)

    workers = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failed == []
    with store.read() as read:
        assert read.execute(text("SELECT count(*) FROM mention")).scalar_one() == 40


def test_an_error_of_the_database_shows_no_text(store: Store) -> None:
    row = {"p": "jane-the-secret", "e": "e", "s": b"x"}
    with pytest.raises(IntegrityError) as caught, store.write() as tx:
        tx.execute(text("INSERT INTO handle VALUES (:p, :e, :s), (:p, :e, :s)"), row)
    assert "hidden" in str(caught.value)


@pytest.mark.parametrize("url", ["", "mysql://x/y", "sqlite://", "sqlite:///:memory:", "not an address"])
def test_an_address_we_cannot_use_is_said_so(url: str) -> None:
    with pytest.raises(BadInput):
        address(url)


def test_a_password_shows_nowhere() -> None:
    store = Store("postgresql://maria:hunter2@127.0.0.1:1/none")
    assert "hunter2" not in repr(store)
    with pytest.raises(BadInput) as caught:
        open_store("postgresql://maria:hunter2@127.0.0.1:1/none")
    assert "hunter2" not in str(caught.value)
    store.close()


def test_a_database_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="openear db upgrade"):
        open_store(f"sqlite:///{tmp_path / 'none.db'}")
    assert engine.current(f"sqlite:///{tmp_path / 'none.db'}") is None


def test_sqlite_is_set_up_as_promised(sqlite: Store) -> None:
    wanted = {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "busy_timeout": 10_000}
    wanted |= {"secure_delete": 1, "journal_size_limit": 67_108_864}
    with sqlite.write() as tx:
        assert {name: tx.execute(text(f"PRAGMA {name}")).scalar() for name in wanted} == wanted


def test_a_folder_with_odd_names_is_no_matter(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a b#c%20d'}/open ear.db"
    engine.upgrade(url)
    store = open_store(url)
    put(store, post())
    with store.read() as read:
        assert read.execute(text("SELECT count(*) FROM mention")).scalar_one() == 1
    store.close()


def test_backup_and_restore_while_in_use(sqlite: Store, tmp_path: Path) -> None:
    put(sqlite, post(1))
    url, copy = f"sqlite:///{tmp_path / 'only.db'}", tmp_path / "copies" / "a.db"
    with sqlite.write():
        engine.backup(url, copy)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with pytest.raises(BadInput, match="already"):
        engine.backup(url, copy)
    put(sqlite, post(2))
    sqlite.close()
    engine.restore(url, copy)
    again = open_store(url)
    with again.read() as read:
        assert len(mentions.known(read, "mastodon", [post(1).external_id, post(2).external_id])) == 1
    again.close()


def test_a_broken_backup_is_not_restored(sqlite: Store, tmp_path: Path) -> None:
    put(sqlite, post(1))
    url, broken = f"sqlite:///{tmp_path / 'only.db'}", tmp_path / "broken.db"
    for content in (b"", b"not a database at all" * 100):
        broken.write_bytes(content)
        with pytest.raises(BadInput, match="not a whole backup"):
            engine.restore(url, broken)
    with pytest.raises(BadInput, match="no backup"):
        engine.restore(url, tmp_path / "none.db")
    with sqlite.read() as read:
        assert read.execute(text("SELECT count(*) FROM mention")).scalar_one() == 1


@pytest.mark.postgres
def test_backup_and_restore_of_postgresql(postgres: str, tmp_path: Path) -> None:
    engine.upgrade(postgres)
    store = open_store(postgres)
    put(store, post(1))
    engine.backup(postgres, tmp_path / "a.dump")
    put(store, post(2))
    store.close()
    (tmp_path / "b.dump").write_bytes(b"not a dump")
    with pytest.raises(BadInput):
        engine.restore(postgres, tmp_path / "b.dump")
    engine.restore(postgres, tmp_path / "a.dump")
    store = open_store(postgres)
    with store.read() as read:
        assert read.execute(text("SELECT count(*) FROM mention")).scalar_one() == 1
    store.close()


@pytest.mark.postgres
def test_each_month_has_its_partition(postgres_shared: str) -> None:
    store = open_store(emptied(postgres_shared))
    months = [NOW, NOW.replace(year=1987), NOW.replace(month=1), NOW.replace(year=2025, month=12), NOW]
    put(store, *(post(n, posted_at=at) for n, at in enumerate(months)))
    with store.read() as read:
        rows = read.execute(text("SELECT tableoid::regclass::text, count(*) FROM mention GROUP BY 1 ORDER BY 1"))
        assert [tuple(row) for row in rows] == [
            ("mention_2025_12", 1),
            ("mention_2026_01", 1),
            ("mention_2026_03", 2),
            ("mention_old", 1),
        ]
    store.close()


def test_the_embedded_install_imports_neither_psycopg_nor_celery() -> None:
    code = (
        "import sys, pkgutil, importlib, storage\n"
        "for m in pkgutil.iter_modules(storage.__path__): importlib.import_module('storage.' + m.name)\n"
        "from storage.engine import Store; Store('sqlite:////tmp/never-opened.db').close()\n"
        "print([m for m in ('psycopg', 'celery', 'torch', 'httpx') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"
