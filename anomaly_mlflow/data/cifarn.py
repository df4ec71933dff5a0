"""The label files of CIFAR-N: what `torch.save` wrote, read without running any of it."""

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np

from anomaly_mlflow.errors import BadData

__all__ = ["read_cifarn"]

MAGIC = 0x1950A86A20F9469CFC6C
"""First object of a file of torch before 1.6; three more follow, then the dict."""


def read_cifarn(path: Path) -> dict[str, np.ndarray]:
    """Label arrays, int64 (n,), by name, in the order of torchvision's training set (Wei et al. 2022).

    Both formats of `torch.save` of a dict of integer arrays; anything else in the file is refused.
    Raises BadData where the file is missing or something else.
    """
    try:
        found = _loaded(path.read_bytes())
        return {str(name): array.values() for name, array in found.items() if isinstance(array, _Array)}
    except FileNotFoundError:
        raise BadData(f"{path} does not exist; cifarn:PATH names a file such as CIFAR-10_human.pt") from None
    except Exception as error:  # whatever a stranger's bytes provoke
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise BadData(f"{path} is no CIFAR-N label file ({reason}); get it from its authors again") from None


def _loaded(content: bytes) -> dict:
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            (entry,) = (one for one in archive.infolist() if one.filename.endswith("/data.pkl"))
            if entry.compress_type != zipfile.ZIP_STORED:
                raise ValueError("its parts are compressed")
            found = _Unpickler(io.BytesIO(archive.read(entry))).load()
    else:
        file = io.BytesIO(content)
        magic, _version, _system, found = (_Unpickler(file).load() for _ in range(4))
        if magic != MAGIC:
            raise ValueError("it does not begin as torch's files do")
    if not isinstance(found, dict):
        raise ValueError(f"it holds a {type(found).__name__}, not a table")
    return found


class _Dtype:
    """Stands in for numpy's: hostile states can corrupt the memory of the real one."""

    def __init__(self, name: str, *flags: object):
        self.name, self.order = str(name), "="

    def __setstate__(self, state: tuple) -> None:
        self.order = state[1]


class _Array:
    """Stands in for numpy's array while its state is read."""

    def __setstate__(self, state: tuple) -> None:
        _, self.shape, self.dtype, _, self.content = state

    def values(self) -> np.ndarray:
        """int64 (n,)."""
        if len(self.shape) != 1 or self.dtype.name[0] not in "iu" or self.dtype.order not in "<>=|":
            raise ValueError("it holds an array that is no list of whole numbers")
        values = np.frombuffer(self.content, np.dtype(self.dtype.name).newbyteorder(self.dtype.order))
        if values.shape != self.shape:
            raise ValueError("an array is shorter than it says")
        return values.astype(np.int64)


def _reconstruct(*arguments: object) -> _Array:
    return _Array()


def _latin1(text: str, encoding: str) -> bytes:
    return text.encode("latin1")


_KNOWN = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("_codecs", "encode"): _latin1,
}


class _Unpickler(pickle.Unpickler):
    """Knows the five names of an array of numbers, and gives stand-ins for them."""

    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in _KNOWN:
            raise ValueError(f"it asks for {module}.{name}")
        return _KNOWN[module, name]
