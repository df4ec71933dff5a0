from types import SimpleNamespace

import pytest

from anomaly_mlflow.errors import RunNotFound
from entry_points.history import _fetch
from entry_points.work_folder import remove_work_folder, work_folder

RUN = SimpleNamespace(id="0123abcd")


def test_a_run_that_keeps_nothing_ends_well_where_the_state_folder_cannot_be_made(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ANOMALY_STATE", str(tmp_path / "file" / "state"))
    remove_work_folder(RUN)
    with pytest.raises(OSError, match="file"):
        work_folder(RUN)


def test_what_another_machine_sent_is_fetched_before_the_first_snapshot_too(tmp_path):
    for kind in ("recording", "metrics", "checkpoint"):
        (tmp_path / "there" / kind / "epoch=0000").mkdir(parents=True)

    def path(kind):
        if not (tmp_path / "there" / kind).exists():
            raise RunNotFound(kind)
        return tmp_path / "there" / kind

    _fetch(SimpleNamespace(path=path), tmp_path / "here")
    assert {each.name for each in (tmp_path / "here").iterdir()} == {"recording", "metrics", "checkpoint"}
