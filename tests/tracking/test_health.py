"""The checks of the doctor against a server that says what the test wants, and against databases."""

import json
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import mlflow
import pytest
import sqlalchemy
from empty_store import close_connections, empty_store
from mlflow.entities import ViewType

from anomaly_mlflow.errors import AnomalyError, ServerUnavailable
from anomaly_mlflow.tracking import health, round_trip

pytestmark = pytest.mark.filterwarnings("default")


class Answers(BaseHTTPRequestHandler):
    """What the server's own fields say: paths with status and text, and how far its clock is ahead."""

    def do_GET(self):
        status, text = self.server.pages.get(self.path.partition("?")[0], (200, "{}"))
        self.send_response_only(status)
        self.send_header("Date", formatdate(time.time() + self.server.ahead, usegmt=True))
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    do_POST = do_GET

    def log_message(self, *words):
        pass


@pytest.fixture
def stub(monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.pages, server.ahead = {"/version": (200, mlflow.__version__)}, 0.0
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder in which commands would make their database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_EXPERIMENT_ID", raising=False)
    monkeypatch.delenv("MLFLOW_EXPERIMENT_NAME", raising=False)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    return tmp_path


@pytest.fixture
def store(here):
    yield empty_store(here)
    close_connections()


def test_a_server_of_this_version_and_time_is_well(stub):
    assert str(stub.server_port) in health.server() and mlflow.__version__ in health.version()
    assert health.login() == "none is needed" and health.clock().endswith("s apart")


def test_what_answers_but_is_no_tracking_server_is_named(stub):
    stub.pages["/health"] = stub.pages["/version"] = (404, "<html>not here</html>")
    with pytest.raises(AnomalyError, match="404 to GET /health: it is no MLflow server"):
        health.server()
    with pytest.raises(AnomalyError, match="does not tell a version"):
        health.version()


def test_a_server_that_is_away_is_named_without_its_password(stub, monkeypatch):
    stub.shutdown()
    stub.server_close()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://ada:hunter2@127.0.0.1:{stub.server_port}")
    with pytest.raises(ServerUnavailable, match="does not answer") as caught:
        health.server()
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "text", "line"),
    [
        (401, "You are not authenticated", "login: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"),
        (403, "Permission denied", "permission MANAGE, or set MLFLOW_EXPERIMENT_NAME to your own"),
    ],
)
def test_a_refusal_says_which_variables_to_set_or_whom_to_ask(stub, status, text, line):
    stub.pages["/api/2.0/mlflow/experiments/search"] = (status, text)
    with pytest.raises(ServerUnavailable, match=line):
        health.login()


def test_a_server_that_refuses_its_own_name_is_told_apart_from_a_refused_login(stub):
    text = "Invalid Host header - possible DNS rebinding attack detected"
    stub.pages["/api/2.0/mlflow/experiments/search"] = (403, text)
    with pytest.raises(AnomalyError, match="--allowed-hosts"):
        health.login()


def test_the_login_tells_the_user_and_never_the_password(stub, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ada")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "hunter2")
    assert health.login() == "as ada"


@pytest.mark.parametrize(("ahead", "way"), [(90, "ahead of"), (-3600, "behind")])
def test_a_clock_that_is_apart_says_by_how_much_and_which_way(stub, ahead, way):
    stub.ahead = ahead
    with pytest.raises(AnomalyError, match=f"s {way} this machine") as caught:
        health.clock()
    (seconds,) = [int(word) for word in str(caught.value).split() if word.isdecimal()]
    assert seconds == pytest.approx(abs(ahead), abs=5)


def test_a_server_of_another_version_says_which_to_install_and_a_last_digit_does_not_matter(stub):
    stub.pages["/version"] = (200, "3.99.0")
    with pytest.raises(AnomalyError, match=r"pip install mlflow==3\.99\.0"):
        health.version()
    major, minor, _ = mlflow.__version__.split(".")[:3]
    stub.pages["/version"] = (200, f"{major}.{minor}.99")
    assert f"{major}.{minor}.99 on the server" in health.version()


def test_a_version_that_could_command_a_terminal_is_not_repeated(stub):
    stub.pages["/version"] = (200, "3.17.2\x1b]0;owned\x07")
    with pytest.raises(AnomalyError) as caught:
        health.version()
    assert str(caught.value).isprintable()


def test_a_user_who_may_not_write_is_told_in_which_experiment_and_what_to_ask_for(stub, monkeypatch):
    monkeypatch.delenv("MLFLOW_EXPERIMENT_NAME", raising=False)
    monkeypatch.delenv("MLFLOW_EXPERIMENT_ID", raising=False)
    experiment = {"experiment_id": "0", "name": "Default", "lifecycle_stage": "active"}
    stub.pages["/api/2.0/mlflow/experiments/get"] = (200, json.dumps({"experiment": experiment}))
    stub.pages["/api/2.0/mlflow/runs/create"] = (403, "Permission denied")
    with pytest.raises(AnomalyError, match=r"may not write in experiment 'Default': ask its owner for .* MANAGE"):
        round_trip.write()


def test_a_database_that_is_not_made_yet_is_well_and_stays_unmade(here):
    assert "the first step makes" in health.database()
    assert not health.has_database() and not list(here.iterdir())


def test_a_database_of_another_schema_is_named_and_stays_as_it_is(store, tmp_path):
    store.search_experiments()
    assert health.has_database() and mlflow.__version__ in health.database()
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/mlflow.db")
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE alembic_version SET version_num = 'cafe'"))
    with pytest.raises(AnomalyError, match=r"its schema is cafe, .* back it up, then `mlflow db upgrade"):
        health.database()
    with engine.connect() as connection:
        assert connection.execute(sqlalchemy.text("SELECT version_num FROM alembic_version")).scalar() == "cafe"
    engine.dispose()


def test_a_file_that_is_no_database_is_named(here):
    (here / "mlflow.db").write_text("no database " * 100)
    with pytest.raises(ServerUnavailable, match=r"cannot be opened: .*file is not a database"):
        health.database()


def test_round_trips_leave_one_deleted_run_however_often_they_are_made(store):
    for _ in range(2):
        assert "experiment 'Default'" in round_trip.write()
        assert "read back by checksum" in round_trip.artifacts()
    assert not store.search_runs(["0"])
    (run,) = store.search_runs(["0"], run_view_type=ViewType.DELETED_ONLY)
    assert run.info.status == "FINISHED" and not store.list_artifacts(run.info.run_id)
    assert not _probes(store)


def test_an_experiment_that_is_not_made_yet_stays_unmade(store, monkeypatch):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "cifar")
    for _ in range(2):
        assert "'doctor of " in round_trip.write()
    assert store.get_experiment_by_name("cifar") is None and round_trip.artifact_folder() is None
    assert [each.name for each in store.search_experiments()] == ["Default"]
    deleted = store.search_experiments(view_type=ViewType.DELETED_ONLY)
    assert len(deleted) == 1 and deleted[0].name.startswith("doctor of ")


def test_an_experiment_that_was_deleted_says_how_to_get_it_back(store, monkeypatch):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "cifar")
    number = store.create_experiment("cifar")
    store.delete_experiment(number)
    with pytest.raises(AnomalyError, match=f"mlflow experiments restore -x {number}"):
        round_trip.write()


def test_an_artifact_that_comes_back_changed_is_seen_and_removed(store, monkeypatch):
    honest = mlflow.MlflowClient.download_artifacts

    def flipped(self, run_id, path, folder):
        file = Path(honest(self, run_id, path, folder))
        changed = Path(folder, "changed")
        changed.write_bytes(bytes([file.read_bytes()[0] ^ 1]) + file.read_bytes()[1:])
        return str(changed)

    monkeypatch.setattr(mlflow.MlflowClient, "download_artifacts", flipped)
    with pytest.raises(AnomalyError, match="comes back changed"):
        round_trip.artifacts()
    assert not _probes(store)


def _probes(store):
    """What `round_trip` wrote and left; the artifacts of other tests lie there too."""
    place = Path(store.get_experiment("0").artifact_location.removeprefix("file://"))
    return [path for path in place.rglob("doctor-*/*") if path.is_file()]
