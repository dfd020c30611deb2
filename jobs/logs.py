"""Logs: one line an event, no text of residents, no secrets."""

import logging
import re
import sys

_SECRET = re.compile(
    r"(?i)(authorization|token|password|secret|api[_-]?key|accessjwt|refreshjwt)(['\"]?\s*[:=]\s*['\"]?)[^\s'\",}&]+"
)
_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def clean(line: str) -> str:
    r"""A line without secrets, and without characters that forge a second line.

    >>> clean("password=hunter2 at https://bob:pw@example.org/x\nINFO all is well")
    'password=[hidden] at https://[hidden]@example.org/x INFO all is well'
    """
    line = _SECRET.sub(r"\1\2[hidden]", line)
    return _CONTROL.sub(" ", _USERINFO.sub("[hidden]@", line))


class CleanFormatter(logging.Formatter):
    """Time, level, name, message; clean()."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """One clean line, the traceback folded into it."""
        return clean(super().format(record).replace("\n", " | "))


def set_up(level: int = logging.INFO) -> None:
    """Log to stderr; libraries that name every request are quietened."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(CleanFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in ("httpx", "httpcore", "apscheduler", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
