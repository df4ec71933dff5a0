"""The doctor as a user of the service types it: with the right login, without one, and where they may not write."""

import subprocess
import sys

import pytest
from native_services import DOCKER
from typist import typed

WELL = ["ok server", "ok login", "ok version", "ok clock"]
STORE = ["ok write", "ok artifacts", "ok space"]
REST = ["ok dead runs", "ok state", "ok temporary"]
PASSWORD = "password-of-alice"

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def examined(services, tmp_path):
    """The doctor at the running service: exit code, what each line begins with, all that was said."""

    def examine(user, password, experiment=""):
        login = {"MLFLOW_TRACKING_USERNAME": user, "MLFLOW_TRACKING_PASSWORD": password} if user else {}
        place = {"MLFLOW_TRACKING_URI": services.address, "ANOMALY_STATE": str(tmp_path / "state")}
        place |= {"MLFLOW_EXPERIMENT_NAME": experiment} if experiment else {}
        done = typed(["doctor"], tmp_path, {"HOME": str(tmp_path), **place, **login})
        assert "Traceback" not in done.stderr and not (password and password in done.stdout + done.stderr)
        return done.returncode, [" ".join(line[:16].split()) for line in done.stdout.splitlines()], done.stdout

    return examine


@pytest.mark.parametrize("experiment", ["experiment of alice", "not made yet"])
def test_with_the_right_password_every_line_is_well(examined, experiment):
    code, names, said = examined("alice", PASSWORD, experiment)
    assert code == 0 and names == [*WELL, *STORE, *REST], said
    assert "login      as alice\n" in said


@pytest.mark.parametrize(("user", "password"), [("alice", "not-the-password"), ("nobody", PASSWORD), ("", "")])
def test_a_login_that_is_refused_is_one_finding_and_what_needs_it_waits(examined, user, password):
    code, names, said = examined(user, password, "experiment of alice")
    waiting = [f"- {name}" for name in ("version", "clock", "write", "artifacts", "space", "dead runs")]
    assert code == 1 and names == ["ok server", "MEND login", *waiting, *REST[1:]]
    assert "refuses the login: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD" in said


@pytest.mark.parametrize("experiment", ["", "experiment of bob"], ids=["Default", "of another"])
def test_a_user_without_an_experiment_of_their_own_is_told_once_to_name_one(examined, experiment):
    code, names, said = examined("alice", PASSWORD, experiment)
    assert code == 1 and names == [*WELL, "MEND write", "- artifacts", "- space", *REST]
    assert "or set MLFLOW_EXPERIMENT_NAME to your own" in said


@pytest.mark.parametrize(("level", "act", "left"), [("READ", "write", 0), ("EDIT", "delete", 1)])
def test_who_may_not_train_in_the_experiment_of_another_is_told_which_permission_to_ask_for(
    services, examined, level, act, left
):
    number = granted(services, name := f"bob grants {level}", level)
    for _ in range(2):
        code, names, said = examined("alice", PASSWORD, name)
        assert code == 1 and names == [*WELL, "MEND write", "- artifacts", "- space", *REST]
        assert f"alice may not {act} in experiment '{name}': ask its owner for the permission MANAGE" in said
    assert len(services.api("runs/search", "bob", experiment_ids=[number]).get("runs", [])) == left


def test_who_may_manage_the_experiment_of_another_finds_all_well(services, examined):
    granted(services, "bob grants MANAGE", "MANAGE")
    assert examined("alice", PASSWORD, "bob grants MANAGE")[:2] == (0, [*WELL, *STORE, *REST])


def granted(services, name, level):
    """Id of an experiment of bob in which alice has this permission."""
    number = services.api("experiments/create", "bob", name=name)["experiment_id"]
    command = [sys.executable, DOCKER / "user.py", "grant", "alice", "experiment", name, level]
    subprocess.run(command, check=True, env=services.environment() | {"MLFLOW_TRACKING_URI": services.address})
    return number
