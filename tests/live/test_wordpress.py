"""The feed source against a real WordPress on this machine, from Debian's packages: ../shared/servers/README.md.

Needs wordpress, php-cli, php-mysql, php-xml, php-mbstring and mariadb-server. The test starts and ends both servers.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from collectors.kinds import Context
from collectors.registry import build
from core.batch import Backfill, Batch, Budget, Head, Recheck, Task
from core.mention import Mention
from core.protocols import Collector
from core.settings import Network, Source
from net.client import open_client
from tests.conftest import missing

FILES = Path("/usr/share/wordpress")
START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=60)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CONFIG = """<?php
define('DB_NAME', 'wp'); define('DB_USER', 'wp'); define('DB_PASSWORD', 'wp'); define('DB_HOST', '127.0.0.1:%d');
define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', ''); $table_prefix = 'wp_';
define('WP_HTTP_BLOCK_EXTERNAL', true); define('DISABLE_WP_CRON', true); define('AUTOMATIC_UPDATER_DISABLED', true);
if (!defined('ABSPATH')) { define('ABSPATH', __DIR__ . '/'); }
require_once ABSPATH . 'wp-settings.php';
"""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def _until(ready: Callable[[], bool], seconds: float) -> bool:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if ready():
            return True
        time.sleep(0.2)
    return False


@dataclass(frozen=True)
class WordPress:
    """A running blog."""

    folder: Path
    base: str

    def php(self, code: str) -> str:
        """Run `code` inside WordPress; what it prints."""
        host = self.base.removeprefix("http://")
        script = f"$_SERVER['HTTP_HOST'] = '{host}'; require 'wp-load.php'; {code}"
        done = subprocess.run(["php", "-r", script], cwd=self.folder, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def write(self, words: str, at: datetime) -> str:
        """Publish a post; its guid."""
        when = at.strftime("%Y-%m-%d %H:%M:%S")
        fields = f"'post_title'=>'{words}','post_content'=>'<p>About {words}</p>','post_status'=>'publish'"
        dates = f"'post_date'=>'{when}','post_date_gmt'=>'{when}','post_author'=>1"
        return self.php(f"echo get_post(wp_insert_post([{fields},{dates}]))->guid;").replace("&#038;", "&")

    def collector(self, address: str, history: str = "3650d") -> Collector:
        """The feed at `address` of this blog."""
        section = {"kind": "feed", "url": f"{self.base}{address}", "history": history}
        network = Network(allow=(self.base.removeprefix("http://"),))
        context = Context(
            client_for=lambda base: open_client(network, base_url=base),
            clock=lambda: datetime.now(UTC),
            network=network,
        )
        return build("blog", Source.model_validate(section), context)


def _run(command: list[str], folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def blog() -> Iterator[WordPress]:
    programs = [name for name in ("php", "mariadbd", "mariadb-install-db", "mariadb") if not shutil.which(name)]
    if programs or not FILES.is_dir():
        missing("wordpress", f"Debian's packages are not installed ({', '.join(programs) or FILES} is missing)")
    folder = Path(tempfile.mkdtemp(prefix="openear-wordpress-"))
    started: list[subprocess.Popen[bytes]] = []
    try:
        folder.chmod(0o755)
        yield _started(folder, started)
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _started(folder: Path, started: "list[subprocess.Popen[bytes]]") -> WordPress:
    data, site, port, web = folder / "data", folder / "site", _free_port(), _free_port()
    data.mkdir()
    user = ["--user=mysql"] if os.getuid() == 0 else []
    if user:
        shutil.chown(data, "mysql")
    made = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", *user]
    made += ["--auth-root-authentication-method=normal", "--skip-test-db"]
    subprocess.run(made, check=True, capture_output=True)
    server = ["mariadbd", "--no-defaults", f"--datadir={data}", *user, "--bind-address=127.0.0.1", f"--port={port}"]
    started.append(_run([*server, f"--socket={data}/socket", f"--pid-file={data}/pid"], folder))
    ask = ["mariadb", "--no-defaults", "-h127.0.0.1", f"-P{port}", "-uroot", "-e"]
    statements = (
        "create database wp; create user wp@'127.0.0.1' identified by 'wp'; grant all on wp.* to wp@'127.0.0.1'"
    )
    assert _until(lambda: subprocess.run([*ask, statements], capture_output=True, check=False).returncode == 0, 60)
    shutil.copytree(FILES, site, symlinks=False, ignore_dangling_symlinks=True)
    (site / "wp-config.php").unlink(missing_ok=True)
    (site / "wp-config.php").write_text(CONFIG % port)
    started.append(_run(["php", "-S", f"127.0.0.1:{web}", "-t", str(site)], site))
    running = WordPress(site, f"http://127.0.0.1:{web}")
    person = {"user_name": "desk", "admin_password": "invented-Words-7", "admin_password2": "invented-Words-7"}
    form = {
        **person,
        "weblog_title": "Maple Harbor",
        "admin_email": "desk@blog.example",
        "pw_weak": "1",
        "blog_public": "1",
    }
    with httpx.Client(trust_env=False, timeout=60) as client:
        assert _until(lambda: _answers(client, running.base), 30)
        client.post(f"{running.base}/wp-admin/install.php?step=2", data=form).raise_for_status()
    return running


def _answers(client: httpx.Client, base: str) -> bool:
    try:
        return client.get(f"{base}/wp-admin/install.php").status_code == 200
    except httpx.TransportError:
        return False


def run(source: Collector, task: Task, cursor: str | None = None, budget: Budget | None = None) -> list[Batch]:
    return list(source.collect(task, cursor, budget or Budget(), datetime.now(UTC) + timedelta(minutes=2)))


def found(batches: list[Batch]) -> dict[str, Mention]:
    return {one.external_id: one for batch in batches for one in batch.mentions}


def test_a_blog_is_read_whole_then_edited_and_a_post_deleted_between_two_runs(blog: WordPress) -> None:
    written = [blog.write(f"pothole {n}", START + timedelta(days=n)) for n in range(25)]
    source = blog.collector("/?feed=rss2")
    first = run(source, Head())
    posts = found(first)
    assert set(written) <= posts.keys()
    assert len(posts) == 26  # WordPress writes one itself
    assert first[-1].coverage.complete
    one = posts[written[7]]
    assert (one.text, one.posted_at) == ("pothole 7\n\nAbout pothole 7", START + timedelta(days=7))
    cursor = first[-1].cursor

    again = run(source, Head(), cursor)
    assert found(again) == {}
    assert again[-1].coverage.complete

    edited, deleted = written[20], written[3]
    blog.php(f"wp_update_post(['ID'=>{edited.partition('p=')[2]},'post_content'=>'Filled at last']);")
    blog.php(f"wp_trash_post({deleted.partition('p=')[2]});")
    new = [blog.write(f"water main {n}", START + timedelta(days=30, hours=n)) for n in range(12)]
    second = run(source, Head(), again[-1].cursor, Budget(requests=1))
    rest = list(second)
    while not (gap := rest[-1].coverage).complete:
        rest += run(source, Backfill(since=gap.since, until=gap.until, resume=gap.resume))
    assert set(new) <= found(rest).keys()

    checked = run(source, Recheck(ids=(written[4], edited, deleted)))
    assert [gone.external_id for batch in checked for gone in batch.deletions] == [deleted]
    after = {**found(rest), **found(checked)}.get(edited) or found(run(blog.collector("/?feed=rss2"), Head()))[edited]
    assert after.version != posts[edited].version
    assert after.text == "pothole 20\n\nFilled at last"


def test_comments_know_their_post_and_what_they_answer(blog: WordPress) -> None:
    post = blog.write("streetlights", START + timedelta(days=40))
    number = post.partition("p=")[2]
    author = "'comment_author'=>'Ana','comment_approved'=>1"
    told = f"'comment_post_ID'=>{number},{author},'comment_content'=>'Dark since Monday'"
    first = blog.php(f"echo wp_insert_comment([{told}]);")
    answer = f"'comment_post_ID'=>{number},{author},'comment_content'=>'Sorry!','comment_parent'=>{first}"
    second = blog.php(f"echo wp_insert_comment([{answer}]);")
    comments = found(run(blog.collector("/?feed=comments-rss2"), Head()))
    asked, answered = comments[f"{post}#comment-{first}"], comments[f"{post}#comment-{second}"]
    assert (asked.text, asked.parent, asked.root) == ("Dark since Monday", post, post)
    assert (answered.text, answered.parent, answered.root) == ("Sorry!", f"{post}#comment-{first}", post)


def test_the_rest_list_pages_by_its_link_header_and_names_posts_as_the_feed_does(blog: WordPress) -> None:
    by_feed = found(run(blog.collector("/?feed=rss2"), Head()))
    by_rest = found(run(blog.collector("/?rest_route=/wp/v2/posts&per_page=5"), Head()))
    assert by_feed.keys() == by_rest.keys()
    assert {one: by_feed[one].version for one in by_feed} == {one: by_rest[one].version for one in by_rest}
