"""What the tests give to workers; a file of its own, so that a worker that reads it imports little."""

import os
import signal
import time
from pathlib import Path


def where_am_i(images):
    """What a worker sees of itself and of an array."""
    import anomaly_mlflow
    import entry_points

    roots = {str(Path(package.__file__).parent.parent) for package in (anomaly_mlflow, entry_points)}
    return {"process": os.getpid(), "code": roots, "home": os.getcwd(), "sum": int(images.sum()), **os.environ}


def noted(number, folder, seconds):
    """Says when it begins and when it ends."""
    Path(folder, f"{number}-begins").touch()
    time.sleep(seconds)
    Path(folder, f"{number}-ends").touch()
    return number


def fails(error):
    raise error


def killed_once(number, folder):
    """Leaves what it did in a folder, and finds it there; the third takes the bomb, if there is one, and is killed."""
    done, bomb = Path(folder, str(number)), Path(folder, "bomb")
    if done.exists():
        return "found"
    if number == 2 and bomb.exists():
        while not Path(folder, "1").exists():
            time.sleep(0.05)
        bomb.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    done.touch()
    return "made"
