"""The folder of a run lies below the state folder, whatever the server calls the run."""

from types import SimpleNamespace

import pytest

from anomaly_mlflow.errors import RunNotFound, ServerUnavailable
from entry_points.history import _fetch
from entry_points.work_folder import remove_work_folder, work_folder


@pytest.fixture
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("ANOMALY_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


def test_a_run_has_a_folder_of_its_own_until_it_is_removed(state):
    run = SimpleNamespace(id="0a1b2c-D_3")
    assert work_folder(run) == state / "0a1b2c-D_3" and work_folder(run).is_dir()
    remove_work_folder(run)
    assert list(state.iterdir()) == []


@pytest.mark.parametrize("name", ["{victim}", "../victim", "..", ".", "", "a/../../victim", "a\n", "-a", "a\0"])
def test_what_is_no_run_id_removes_nothing(state, tmp_path, name):
    precious = tmp_path / "victim" / "precious"
    precious.parent.mkdir()
    precious.touch()
    for use in (work_folder, remove_work_folder):
        with pytest.raises(ServerUnavailable, match="which is no run id"):
            use(SimpleNamespace(id=name.format(victim=precious.parent)))
    assert precious.exists() and not state.exists()


def test_a_run_that_keeps_nothing_ends_well_where_the_state_folder_cannot_be_made(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ANOMALY_STATE", str(tmp_path / "file" / "state"))
    remove_work_folder(SimpleNamespace(id="0123abcd"))
    with pytest.raises(OSError, match="file"):
        work_folder(SimpleNamespace(id="0123abcd"))


def test_what_another_machine_sent_is_fetched_before_the_first_snapshot_too(tmp_path):
    for kind in ("recording", "metrics", "checkpoint"):
        (tmp_path / "there" / kind / "epoch=0000").mkdir(parents=True)

    def path(kind):
        if not (tmp_path / "there" / kind).exists():
            raise RunNotFound(kind)
        return tmp_path / "there" / kind

    _fetch(SimpleNamespace(path=path), tmp_path / "here")
    assert {each.name for each in (tmp_path / "here").iterdir()} == {"recording", "metrics", "checkpoint"}
