"""Work that outside data could make slow or large, done in a process of its own that is stopped in time.

The child knows nothing of our settings and secrets: it gets its input on stdin and an empty environment.
"""

import resource
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}


class ChildFailed(Exception):
    """The child did not answer: too slow, too large, or broken. Its text says which."""


def run(module: str, given: bytes, *, seconds: float) -> bytes:
    """Run `python -m module` on `given`; return what it printed.

    Raises:
        ChildFailed: after `seconds` it had not ended, or it ended with an error.
    """
    command = [sys.executable, "-m", module]
    try:
        done = subprocess.run(
            command, input=given, capture_output=True, timeout=seconds, env=ENVIRONMENT, cwd="/", check=False
        )
    except subprocess.TimeoutExpired:
        raise ChildFailed(f"not read within {seconds:g} s") from None
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or [f"status {done.returncode}"]
        raise ChildFailed(f"reading it failed: {lines[-1][:200]}")
    return done.stdout


def limit(*, megabytes: int, seconds: int) -> None:
    """Called by a child at its start: it gets no more memory and processor time than this."""
    size = megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
