"""Which run this process is at: what a line of its log is about."""

__all__ = ["at", "begin", "end"]

_open: list[tuple[str, str | None]] = []


def begin(step: str, run_id: str | None, parent_id: str | None = None) -> None:
    """Note that work on a run has begun, below a parent or, without one, in place of all before."""
    del _open[_place(parent_id) + 1 :]
    _open.append((step, run_id))


def end(run_id: str) -> None:
    """Note that a run has finished. The outermost stays, and so does one that fails: what is said next is about it."""
    del _open[max(_place(run_id), 1) :]


def at() -> tuple[str | None, str | None]:
    """Step and run id of the innermost run; None where there is none yet."""
    return _open[-1] if _open else (None, None)


def _place(run_id: str | None) -> int:
    ids = [each for _, each in _open]
    return ids.index(run_id) if run_id in ids else -1
