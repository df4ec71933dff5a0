"""The folder of a run lies below the state folder, whatever the server calls the run."""

from types import SimpleNamespace

import pytest

from anomaly_mlflow.errors import ServerUnavailable
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
