"""A process that reads batches of a set on disk, and augments them, while the training goes on."""

import os
import subprocess
import sys
import weakref
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import BinaryIO

import numpy as np

from anomaly_mlflow.data.augment import pixel_index
from anomaly_mlflow.data.on_disk import ImageFile

__all__ = ["ReadAhead"]

AHEAD = 3
"""Batches that are asked for before they are needed: what bounds the memory."""

Draw = tuple[np.ndarray, np.ndarray, np.ndarray]


class ReadAhead:
    """One process for one file: to cut a batch takes a small part of the time of training on it.

    A program of its own and not a fork: this process has threads, and may hold a GPU. It imports no torch, so that it
    starts at once and stays small; it is in no process group of ours, so that Ctrl-C reaches us alone; and it ends when
    its input does, however we end. Batches come through a pipe: a container has 64 MB of shared memory.
    """

    def __init__(self, file: ImageFile):
        self._file = file
        command = [sys.executable, "-m", __name__, file.path, str(file.offset), *map(str, file.shape)]
        paths = os.pathsep.join(path for path in sys.path if path)
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": paths},
            start_new_session=True,
        )
        self._end = weakref.finalize(self, _end, self._process)
        self._thread = ThreadPoolExecutor(1, "read ahead")

    def cut(self, drawn: Iterable[Draw]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Rows, and their windows as uint8 (b, height, width, channels), of each draw (rows, y, x), in order.

        Raises OSError where the process has died.
        """
        drawn = iter(drawn)
        waiting = deque(self._ask(draw) for draw in islice(drawn, AHEAD))
        while waiting:
            rows, images = waiting.popleft()
            yield rows, images.result()
            waiting.extend(self._ask(draw) for draw in islice(drawn, 1))

    def _ask(self, draw: Draw) -> tuple[np.ndarray, Future]:
        return draw[0], self._thread.submit(self._exchange, draw)

    def _exchange(self, draw: Draw) -> np.ndarray:
        images = np.empty((len(draw[0]), *self._file.shape), np.uint8)
        try:
            self._process.stdin.write(len(images).to_bytes(8, "little") + b"".join(part.tobytes() for part in draw))
            self._process.stdin.flush()
            arrived = self._process.stdout.readinto(images)
        except BrokenPipeError:
            arrived = 0
        if arrived < images.nbytes:
            raise OSError(f"the process that reads {self._file.path} ended with code {self._process.wait()}")
        return images

    def close(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._thread.shutdown(cancel_futures=True)
        self._end()


def _end(process: subprocess.Popen) -> None:
    process.kill()
    process.communicate()  # closes the pipes


def _serve(file: ImageFile, requests: BinaryIO, replies: BinaryIO) -> None:
    height, width, channels = file.shape
    while header := requests.read(8):
        n = int.from_bytes(header, "little")
        body = requests.read(8 * n * (1 + height + width))
        if len(body) < 8 * n * (1 + height + width):  # who asks was killed while asking
            return
        rows, y, x = np.split(np.frombuffer(body, np.int64), [n, n * (1 + height)])
        index = pixel_index(np.arange(n), y.reshape(n, height), x.reshape(n, width), file.shape)
        replies.write(file.read(rows).reshape(-1, channels).take(index, axis=0))
        replies.flush()


def _main(path: str, offset: str, *shape: str) -> None:
    try:
        _serve(ImageFile(path, int(offset), tuple(map(int, shape))), sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:
        os._exit(1)  # nobody is left to hear of it
    except OSError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    _main(*sys.argv[1:])
