"""A worker process does not outlive the process that it works for."""

import os
import threading
import time

__all__ = ["end_with_parent"]


def end_with_parent() -> None:
    """End this process within a second after its parent is gone, also where SIGKILL took it.

    Joblib's workers notice it only at the end of a task, which may be a training of hours.
    """
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True, name="orphan").start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
