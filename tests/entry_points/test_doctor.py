"""The doctor as it is typed: before the first run, over a real server, where the server is away, with dead runs."""

import json
import time

import mlflow
import pytest
from empty_store import close_connections, empty_store
from mlflow.entities import ViewType
from real_server import RealServer
from typist import typed

from anomaly_mlflow.tracking.lease import HEARTBEAT, OWNER, owner_tags
from entry_points import doctor

pytestmark = pytest.mark.filterwarnings("default")

FIRST_LOCAL = ["ok database", "ok write", "ok artifacts", "ok space"]
SERVER = ["ok server", "ok login", "ok version", "ok clock", "ok write", "ok artifacts", "ok space", "ok dead runs"]
DISKS = ["ok state", "ok temporary"]


def examine(desk, *words, **variables):
    """Exit code, what each line begins with, all that was said."""
    done = typed(["doctor", *words], desk.folder, desk.environment(**variables))
    names = [" ".join(line[:16].split()) for line in done.stdout.splitlines()]
    assert "error" not in done.stderr and "Traceback" not in done.stderr, done.stderr
    return done.returncode, names, done.stdout


@pytest.fixture
def store(desk):
    yield empty_store(desk.folder)
    close_connections()


def test_before_the_first_run_all_is_well_and_nothing_is_made(desk):
    code, names, _ = examine(desk)
    waiting = ["- write", "- artifacts", "- space", "- dead runs"]
    assert code == 0 and names == ["ok database", *waiting, *DISKS]
    assert not list(desk.folder.iterdir())


def test_a_server_is_examined_line_by_line_and_keeps_one_deleted_run_and_no_file(desk):
    server = RealServer(desk.folder)
    try:
        server.start()
        for _ in range(2):
            secret = server.address.replace("//", "//ada:hunter2@")
            code, names, said = examine(desk, MLFLOW_TRACKING_URI=secret)
            assert code == 0 and names == [*SERVER, *DISKS], said
        assert "hunter2" not in said and "as ada" in said and mlflow.__version__ in said
        client = mlflow.MlflowClient(server.address)
        assert not client.search_runs(["0"])
        assert len(client.search_runs(["0"], run_view_type=ViewType.DELETED_ONLY)) == 1
        assert not [path for path in desk.folder.glob("store/**/*") if path.is_file()]
    finally:
        server.kill()


def test_a_server_that_is_away_is_one_finding_and_what_needs_it_waits(desk):
    before = time.monotonic()
    code, names, said = examine(desk, MLFLOW_TRACKING_URI="http://ada:hunter2@127.0.0.1:9")
    waiting = [f"- {name}" for name in ("login", "version", "clock", "write", "artifacts", "space", "dead runs")]
    assert code == 1 and names == ["MEND server", *waiting, *DISKS]
    assert "http://127.0.0.1:9 does not answer" in said and "hunter2" not in said
    assert time.monotonic() - before < 60


def test_a_dead_run_is_named_and_with_close_marked_failed(desk, store):
    alive, dead = (store.create_run("0", tags=owner_tags()).info.run_id for _ in range(2))
    owner = json.loads(store.get_run(dead).data.tags[OWNER])
    store.set_tag(dead, OWNER, json.dumps(owner | {"process": 2**22 + 1}))  # beyond any process id
    code, names, said = examine(desk)
    assert code == 1 and names == [*FIRST_LOCAL, "MEND dead runs", *DISKS]
    assert "1 run is RUNNING" in said and dead in said and alive not in said and "doctor --close" in said
    assert store.get_run(dead).info.status == "RUNNING"
    code, _, said = examine(desk, "--close")
    assert code == 0 and "1 marked FAILED" in said
    assert store.get_run(dead).info.status == "FAILED" and store.get_run(alive).info.status == "RUNNING"


def test_a_run_of_another_machine_counts_as_dead_only_once_its_heartbeat_is_overdue(desk, store):
    run_id = store.create_run("0", tags=owner_tags()).info.run_id
    owner = json.loads(store.get_run(run_id).data.tags[OWNER])
    store.set_tag(run_id, OWNER, json.dumps(owner | {"host": "elsewhere"}))
    assert examine(desk)[0] == 0
    store.set_tag(run_id, HEARTBEAT, str(time.time() - 3600))
    code, _, said = examine(desk)
    assert code == 1 and run_id in said


def test_a_file_that_is_no_database_ends_the_examination_before_anything_is_written(desk):
    (desk.folder / "mlflow.db").write_text("no database " * 100)
    code, names, said = examine(desk)
    assert code == 1 and names[:2] == ["MEND database", "- write"] and "waits for database" in said
    assert (desk.folder / "mlflow.db").read_text() == "no database " * 100


def test_a_disk_that_is_nearly_full_names_the_variable_that_leads_elsewhere(tmp_path, monkeypatch):
    usage = doctor.shutil.disk_usage(tmp_path)
    folder = tmp_path / "not" / "made"
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda there: usage._replace(free=doctor.SPACE))
    assert f"{folder}: " in doctor._space(folder, "TMPDIR")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda there: usage._replace(free=doctor.SPACE - 1))
    with pytest.raises(doctor.AnomalyError, match="make room, or set TMPDIR to another folder"):
        doctor._space(folder, "TMPDIR")
    assert not folder.parent.exists()


def test_an_error_of_a_stores_own_library_is_a_finding_and_not_the_end(capsys):
    def check():
        raise RuntimeError("s3://ada:hunter2@bucket is gone\x1b[2J\nline two")

    assert doctor._told("artifacts", check) is False
    assert capsys.readouterr().out == "MEND  artifacts  RuntimeError: s3://bucket is gone [2J\n"
