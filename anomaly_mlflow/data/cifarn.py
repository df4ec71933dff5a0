"""The label files of CIFAR-N: what `torch.save` wrote, read without running any of it."""

import io
import pickle
import pickletools
import zipfile
from pathlib import Path

import numpy as np

from anomaly_mlflow.errors import BadData

__all__ = ["read_cifarn"]

MAGIC = 0x1950A86A20F9469CFC6C
"""First object of a file of torch before 1.6; three more follow, then the dict."""
MOST_BYTES = 1 << 26
MOST_OPCODES = 1000
"""A table takes some twenty an array."""

_MAKERS = {
    "BINUNICODE",
    "SHORT_BINUNICODE",
    "BINBYTES",
    "SHORT_BINBYTES",
    "GLOBAL",
    "STACK_GLOBAL",
    "REDUCE",
    "EMPTY_DICT",
}
_NUMBERS = {"BININT", "BININT1", "BININT2", "LONG1", "NONE", "NEWTRUE", "NEWFALSE"}
_TUPLES = {"EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"}
_PUTS, _GETS = {"BINPUT", "LONG_BINPUT", "MEMOIZE"}, {"BINGET", "LONG_BINGET"}
_OPCODES = _MAKERS | _NUMBERS | _TUPLES | _PUTS | _GETS
_OPCODES |= {"PROTO", "FRAME", "MARK", "SETITEM", "SETITEMS", "BUILD", "STOP"}
_INTEGERS = {kind + size for kind in "iu" for size in "1248"}


def read_cifarn(path: Path) -> dict[str, np.ndarray]:
    """Label arrays, int64 (n,), by name, in the order of torchvision's training set (Wei et al. 2022).

    Both formats of `torch.save` of a dict of integer arrays; anything else in the file is refused.
    Raises BadData where the file is missing or something else.
    """
    try:
        if path.exists() and not path.is_file():
            raise ValueError("it is no file")
        if path.stat().st_size > MOST_BYTES:
            raise ValueError("it is too large")
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
            entries = [one for one in archive.infolist() if one.filename.endswith("/data.pkl")]
            if len(entries) != 1:
                raise ValueError(f"it has {len(entries)} parts data.pkl")
            (entry,) = entries
            if entry.compress_type != zipfile.ZIP_STORED:
                raise ValueError("its parts are compressed")
            found = _unpickled(io.BytesIO(archive.read(entry)))
    else:
        file = io.BytesIO(content)
        magic, _version, _system, found = (_unpickled(file) for _ in range(4))
        if magic != MAGIC:
            raise ValueError("it does not begin as torch's files do")
    if not isinstance(found, dict):
        raise ValueError(f"it holds a {type(found).__name__}, not a table")
    return found


def _unpickled(file: io.BytesIO) -> object:
    start = file.tell()
    _check(file)
    file.seek(start)
    return _Unpickler(file).load()


def _check(file: io.BytesIO) -> None:
    """Refuses what a table of arrays never needs, and a few bytes could hang or kill the process with.

    A memo or a nesting without end, and a tuple that stands twice in another and so on: hashing that never ends.
    """
    before, plain = "", {}
    for number, (opcode, argument, _) in enumerate(pickletools.genops(file)):
        name = opcode.name
        if name not in _OPCODES or number >= MOST_OPCODES:
            raise ValueError("it is too long a pickle" if name in _OPCODES else f"its pickle has a {name}")
        if name in _PUTS:
            place = len(plain) if name == "MEMOIZE" else argument
            if place > MOST_OPCODES:
                raise ValueError("its memo is too large")
            plain[place] = before in _MAKERS
        elif name in _GETS and not plain.get(argument):
            raise ValueError("it repeats a tuple")
        before = name


class _Dtype:
    """Stands in for numpy's: hostile states can corrupt the memory of the real one."""

    def __init__(self, name: str, *flags: object):
        if name not in _INTEGERS:
            raise ValueError("it holds an array that is no list of whole numbers")
        self.name, self.order = name, "="

    def __setstate__(self, state: tuple) -> None:
        self.order = state[1]


class _Array:
    """Stands in for numpy's array while its state is read."""

    def __setstate__(self, state: tuple) -> None:
        _, self.shape, self.dtype, _, self.content = state

    def values(self) -> np.ndarray:
        """int64 (n,)."""
        if len(self.shape) != 1 or self.dtype.order not in "<>=|":
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
