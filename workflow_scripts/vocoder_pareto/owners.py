"""Which process owns a file: its machine, boot and number as text, and whether it still lives.

The machine is told by its host name and namespace of processes, since containers number theirs apart. Of the processes
of this boot, the system knows which live; of an earlier boot, none does. Of another machine, nothing can be told.
"""

import hashlib
import os
import re
import socket
from functools import cache
from pathlib import Path

PATTERN = r"[0-9a-f]{8}-[0-9a-f]{8}-[0-9]+"


def this_process() -> str:
    """This process: 8 hex digits of its machine, 8 of the boot, and its number; matches `PATTERN`."""
    machine, boot = _here()
    return f"{machine}-{boot}-{os.getpid()}"


def lives(owner: str) -> bool | None:
    """Whether a process lives, given as `this_process` said it there; None if it is one of another machine, or no such.

    A number that the system has given to another process since counts as alive.
    """
    if not re.fullmatch(PATTERN, owner):
        return None
    machine, boot, process = owner.split("-")
    here, now = _here()
    return (boot == now and _is_running(int(process))) if machine == here else None


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # somebody else's
        return True
    return True


@cache
def _here() -> tuple[str, str]:
    """This machine and its boot, 8 hex digits each."""
    try:
        processes = os.readlink("/proc/self/ns/pid")
    except OSError:  # no Linux
        processes = ""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
    except OSError:
        boot = ""
    machine, boot = (
        hashlib.blake2b(text.encode(), digest_size=4).hexdigest() for text in (socket.gethostname() + processes, boot)
    )
    return machine, boot
