"""The command that makes users, gives them rights and changes their passwords."""

import io
import sys
import time
from importlib.util import module_from_spec, spec_from_file_location

import pytest
from native_services import DOCKER

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def command(services, monkeypatch):
    """`user.py` as the administrator of the running server: words, and what is typed."""
    for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_HTTP_REQUEST_MAX_RETRIES"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", services.address)
    monkeypatch.setenv("SECRETS", str(services.folder / "secrets"))
    spec = spec_from_file_location("docker_user", DOCKER / "user.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)

    def typed(*words, password=""):
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{password}\n"))
        return module.main(*words)

    return typed


def status(services, user, path, **request):
    return services.call(path, user, **request).status_code


def test_a_user_is_made_granted_an_experiment_to_read_and_removed(services, command):
    run = f"/api/2.0/mlflow/runs/get?run_id={services.owned['bob']['run']}"
    tag = {"json": {"run_id": services.owned["bob"]["run"], "key": "seen", "value": "yes"}, "method": "POST"}
    assert status(services, "carol", run) == 401
    assert command("add", "carol", password="password-of-carol") is None
    assert status(services, "carol", run) == 403
    assert command("grant", "carol", "experiment", "experiment of bob", "READ") is None
    assert status(services, "carol", run) == 200
    assert status(services, "carol", "/api/2.0/mlflow/runs/set-tag", **tag) == 403
    assert command("grant", "carol", "experiment", "experiment of bob", "EDIT") is None
    assert status(services, "carol", "/api/2.0/mlflow/runs/set-tag", **tag) == 200
    assert "MANGE" in command("grant", "carol", "experiment", "experiment of bob", "MANGE")
    assert status(services, "carol", "/api/2.0/mlflow/runs/set-tag", **tag) == 200, (
        "a mistyped level takes nothing away"
    )
    assert command("delete", "carol") is None
    assert status(services, "carol", run) == 401


def test_a_registered_model_of_another_is_open_once_it_is_granted(services, command):
    services.api("registered-models/create", "bob", name="model of bob")
    path = "/api/2.0/mlflow/registered-models/get?name=model+of+bob"
    assert status(services, "alice", path) == 403
    assert command("grant", "alice", "model", "model of bob", "READ") is None
    assert status(services, "alice", path) == 200


def test_the_old_password_is_refused_from_the_moment_it_is_changed(services, command):
    path = "/api/2.0/mlflow/users/current"
    assert command("add", "dora", password="old-password-of-dora") is None
    assert status(services, "dora", path) == 401
    assert command("password", "dora", password="password-of-dora") is None
    assert status(services, "dora", path) == 200


def test_what_cannot_be_done_ends_in_one_line(command):
    assert "at least 12 characters" in command("add", "eve", password="short")
    assert "no experiment is called 'none'" in command("grant", "alice", "experiment", "none", "READ")
    assert command("promote", "alice").startswith("Users of the server")


def test_a_server_that_is_away_is_told_soon(command, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    before = time.monotonic()
    assert "http://127.0.0.1:9/" in command("delete", "alice")
    assert time.monotonic() - before < 60


def test_an_administrator_whom_the_environment_names_needs_no_file_of_secrets(services, command, monkeypatch, tmp_path):
    monkeypatch.setenv("SECRETS", str(tmp_path))
    assert "admin_password" in command("add", "frank", password="password-of-frank")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "admin")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", services.secret("admin_password"))
    assert command("add", "frank", password="password-of-frank") is None
    assert status(services, "frank", "/api/2.0/mlflow/users/current") == 200
