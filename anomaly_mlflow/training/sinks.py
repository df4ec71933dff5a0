"""Where a recorder hands its epochs: a folder, a run, a function."""

from pathlib import Path
from typing import Protocol, runtime_checkable

from anomaly_mlflow.errors import BadData
from anomaly_mlflow.training.epoch_files import epoch_path, write_epoch
from anomaly_mlflow.training.recording import Recording
from anomaly_mlflow.training.top_recording import TopRecording

__all__ = ["EpochSink", "FileSink", "into"]


class EpochSink(Protocol):
    """Takes each finished epoch while training goes on."""

    def __call__(self, epoch: int, recording: Recording | TopRecording) -> None:
        """`recording` holds this one epoch; epoch counts from 0."""


@runtime_checkable
class FileSink(Protocol):
    """Takes the file of each finished epoch, which is written below its folder; a run of a tracking server does."""

    folder: Path

    def upload(self, file: Path) -> None:
        """`file` is whole and is not changed any more."""

    def close(self) -> None:
        """There will be no other file."""


def into(target: str | Path | FileSink, first_epoch: int) -> EpochSink:
    """A sink that writes into a folder, or hands what it wrote to a FileSink.

    Raises BadData where the folder holds an epoch from `first_epoch` on: another training's, or of later epochs; and
    where it cannot be made. The sink raises it where another recorder has written this epoch meanwhile.
    """
    files = isinstance(target, FileSink)
    folder = target.folder if files else Path(target)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadData(f"{folder} cannot be made a folder ({error.strerror}); name another") from None
    there = sorted(path.name for path in folder.glob("epoch=*"))
    if there[first_epoch:]:
        raise BadData(f"{folder} holds {there[-1]} of a recording already; name another folder, or remove it")

    def write(epoch: int, recording: Recording | TopRecording) -> None:
        try:
            epoch_path(folder, epoch).parent.mkdir(parents=True)  # of two ranks at the same moment, one can
        except FileExistsError:
            told = f"{folder} holds epoch {epoch} of another recorder already"
            raise BadData(f"{told}; give each recorder a folder of its own, in each rank too, or gather=") from None
        path = write_epoch(folder, epoch, recording)
        if files:
            target.upload(path)

    return write
