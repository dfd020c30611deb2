"""The supervisor ends what it started, and starts again what falls."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from jobs.supervisor import Part, Supervisor

SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")
STUBBORN = (sys.executable, "-c", "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)")


def test_all_parts_end_even_the_stubborn(tmp_path: Path) -> None:
    supervisor = Supervisor([Part(name="a", command=SLEEP), Part(name="b", command=STUBBORN)], tmp_path, grace=1.0)
    supervisor.start()
    pids = [part.process.pid for part in supervisor._parts if part.process]
    time.sleep(0.5)
    supervisor.stop()
    assert len(pids) == 2
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_a_part_that_falls_is_started_again_but_not_for_ever(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    part = Part(name="falls", command=(sys.executable, "-c", "print('down'); raise SystemExit(3)"))
    supervisor = Supervisor([part], tmp_path, restart=0.0)
    supervisor.start()
    assert supervisor.watch() == 1
    assert "It said: down" in capsys.readouterr().err
    assert (tmp_path / "falls.log").read_text().count("down") == 5


def test_children_do_not_outlive_a_killed_supervisor(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from jobs.supervisor import Part, Supervisor;"
        f"s = Supervisor([Part(name='a', command={SLEEP!r})], Path({str(tmp_path)!r})); s.start();"
        "print(s._parts[0].process.pid, flush=True); s.watch()"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    for _ in range(50):
        if not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE:
            break
        time.sleep(0.1)
    else:
        raise AssertionError("the child lives on")
