"""Which user and process works on a run, and whether it still lives."""

import os
import socket
from functools import cache
from pathlib import Path

import psutil
from mlflow.tracking.context.registry import resolve_tags

__all__ = ["USER", "lives", "this_process", "this_user"]

USER = "mlflow.user"


def this_user() -> str:
    """What MLflow notes as the user of a run that this process opens: the name at the server's login, or here."""
    return resolve_tags().get(USER, "")


def this_process() -> dict[str, str | int]:
    """What tells this process from every other one: JSON values."""
    return {**_machine(), "process": os.getpid(), "started": _started(os.getpid())}


def lives(owner: dict) -> bool | None:
    """Whether a process lives; None where that cannot be told from here: another machine, another user, a SIGSTOP."""
    machine = _machine()
    if not machine["boot"]:  # two Macs may bear one name
        return None
    if not isinstance(owner.get("process"), int) or any(owner.get(key) != here for key, here in machine.items()):
        return None
    try:
        status = psutil.Process(owner["process"]).status()
        if status == psutil.STATUS_ZOMBIE or _started(owner["process"]) != owner.get("started"):
            return False
    except psutil.NoSuchProcess:
        return None if _is_hidden(owner["process"]) else False
    except (psutil.AccessDenied, ValueError):  # ValueError: a negative number
        return None
    return None if status == psutil.STATUS_STOPPED else True


def _is_hidden(process: int) -> bool:
    """Whether this is somebody else's process on a Linux that hides those (mounted with hidepid)."""
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        pass
    return False


@cache
def _machine() -> dict[str, str]:
    """A process id means something only within one boot of one machine, in one container."""
    boot, namespace = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    return {
        "host": socket.gethostname(),
        "boot": boot.read_text().strip() if boot.exists() else "",
        "namespace": os.readlink(namespace) if namespace.exists() else "",
    }


def _started(process: int) -> str:
    """Start time of a process, the same at every call. Raises psutil.NoSuchProcess."""
    if not psutil.LINUX:
        return str(psutil.Process(process).create_time())
    try:  # in ticks since boot: psutil's seconds since epoch move when somebody sets the clock
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        raise psutil.NoSuchProcess(process) from None
