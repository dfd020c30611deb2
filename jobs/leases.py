"""Whose leases still count: a process of this machine that is gone needs no patience."""

import os
import socket
from pathlib import Path

import psutil

from core.protocols import Clock
from storage import leases
from storage.engine import Store


def this_process() -> str:
    """Names the process that asks: machine, number, start; in a container every start may get the same number."""
    return f"{socket.gethostname()}:{os.getpid()}:{_began(os.getpid())}"


def _began(pid: int) -> str:
    """When it started. On Linux in ticks since the boot: setting the clock does not change that."""
    ticks = Path(f"/proc/{pid}/stat")
    if ticks.exists():
        return ticks.read_text("ascii", "replace").rpartition(")")[2].split()[19]
    return str(int(psutil.Process(pid).create_time()))


def is_gone(owner: str) -> bool:
    """Whether that owner was a process of this machine that lives no more; False if nobody here can know."""
    host, _, rest = owner.partition(":")
    number, _, began = rest.partition(":")
    if host != socket.gethostname() or not number.isdecimal():
        return False
    try:
        return psutil.Process(int(number)).status() == psutil.STATUS_ZOMBIE or _began(int(number)) != began
    except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
        return True
    except (psutil.Error, OSError):
        return False


def free_the_dead(store: Store, clock: Clock) -> int:
    """At a start: take back what dead processes of this machine held, at once, not when their leases run out.

    Other machines' leases run out by themselves.
    """
    with store.read() as read:
        gone = [owner for owner in leases.holders(read) if is_gone(owner)]
    if not gone:
        return 0
    with store.write() as tx:
        return sum(leases.expire(tx, owner, clock()) for owner in gone)
