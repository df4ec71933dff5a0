"""What is pruned, what never is, and what a later reader is told; on a local store and over a server."""

import json
from datetime import UTC, datetime

import mlflow
import pytest
from empty_store import close_connections, empty_store
from planted_recordings import EPOCHS, Store
from real_server import RealServer
from typist import typed

from anomaly_mlflow.errors import RunNotFound
from anomaly_mlflow.tracking import retention
from anomaly_mlflow.tracking.run import Run

pytestmark = pytest.mark.filterwarnings("default")

RECORDING = {f"recording/epoch={epoch:04d}/part-0.parquet" for epoch in range(EPOCHS)}


@pytest.fixture
def local(desk, monkeypatch):
    monkeypatch.chdir(desk.folder)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{desk.folder}/mlflow.db")
    yield Store(empty_store(desk.folder), desk.folder)
    close_connections()


def prune(desk, *words, address=None):
    variables = {"MLFLOW_TRACKING_URI": address} if address else {}
    done = typed(["prune_recordings", *words], desk.folder, desk.environment(**variables))
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_apply_the_recordings_are_listed_with_their_bytes_and_nothing_changes(desk, local):
    old, young = local.noisy(days=31), local.noisy(days=29)
    features = local.features(old)
    local.features(young)
    size = retention.artifact_size(old, "recording")
    said = prune(desk)
    assert f"remove  {old}" in said and f"features in {features}" in said and young not in said
    assert f"1 of 1 old recordings could go, {size / 1000:.2f}kB; --apply removes them" in said
    assert local.files(old) > RECORDING and "anomaly.pruned" not in Run(old).tags


def test_apply_removes_old_extracted_recordings_and_only_these(desk, local):
    old, unextracted, young, dead = (
        local.noisy(days=40),
        local.noisy(days=50),
        local.noisy(days=1),
        local.noisy(days=60, status="FAILED"),
    )
    made = {run_id: local.features(run_id) for run_id in (old, young, dead)}
    before = {run_id: local.files(run_id) for run_id in (unextracted, young, dead, *made.values())}
    size = retention.artifact_size(old, "recording")
    said = prune(desk, "--older_than", "30d", "--apply")
    assert f"keep    {unextracted}" in said and "no features of all signals in its experiment yet" in said
    assert "1 of 2 old recordings removed" in said
    assert local.files(old) == {"snapshots/epoch=0002/weights.safetensors"}
    assert {run_id: local.files(run_id) for run_id in before} == before
    tag = json.loads(Run(old).tags["anomaly.pruned"])
    assert tag["artifact"] == "recording" and tag["bytes"] == size and tag["features_run"] == made[old]
    assert "prune_recordings, older than 30 days" in tag["by"]
    assert abs((datetime.now(UTC) - datetime.fromisoformat(tag["at"])).total_seconds()) < 300
    assert "0 of 1 old recordings removed" in prune(desk, "--apply")


@pytest.mark.parametrize(
    "made", [{"signals": "label.loss"}, {"table": False}, {"status": "FAILED"}], ids=lambda made: next(iter(made))
)
def test_a_recording_whose_signals_are_not_all_kept_in_a_finished_run_is_kept(desk, local, made):
    old = local.noisy(days=40)
    local.features(old, **made)
    prune(desk, "--apply")
    assert local.files(old) > RECORDING


def test_features_that_are_claimed_from_another_experiment_do_not_count(desk, local):
    old = local.noisy(days=40)
    local.features(old, experiment=local.client.create_experiment("of somebody else"))
    assert f"keep    {old}" in prune(desk, "--apply")
    assert local.files(old) > RECORDING


@pytest.mark.parametrize("named", [7, {}, None, [["nested"], 7]])
def test_what_somebody_else_wrote_of_their_features_ends_no_command(desk, local, named):
    old = local.noisy(days=40)
    features = local.features(old)
    local.features(named)
    assert f"features in {features}" in prune(desk)


def test_features_that_were_deleted_do_not_count(desk, local):
    old = local.noisy(days=40)
    local.client.delete_run(local.features(old))
    assert f"keep    {old}" in prune(desk, "--apply")
    assert local.files(old) > RECORDING


def test_whoever_needs_a_pruned_recording_is_told_where_its_features_are_and_how_to_make_it_again(desk, local):
    old = local.noisy(days=40)
    features = local.features(old)
    prune(desk, "--apply")
    with pytest.raises(RunNotFound, match="was removed on ") as caught:
        Run(old).path("recording")
    assert f"features_run={features}" in str(caught.value) and f"mlflow runs delete --run-id {old}" in str(caught.value)
    assert Run(old).path("snapshots").is_dir()
    done = desk.type("extract_features", "--recording", old)
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.returncode == 1 and f"the recording of run {old} was removed on" in line and features in line


def test_a_removal_that_was_interrupted_shows_no_half_recording_and_is_completed(desk, local, monkeypatch):
    old = local.noisy(days=40)
    features = local.features(old)

    def partly(self, artifact):
        (self.path("snapshots").parent / "recording" / "epoch=0002" / "part-0.parquet").unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Run, "remove", partly)
        with pytest.raises(KeyboardInterrupt):
            retention.remove_artifact(old, "recording", by="a test", features_run=features, size=1)
    assert "recording/epoch=0000/part-0.parquet" in local.files(old)
    with pytest.raises(RunNotFound, match="was removed on "):
        Run(old).path("recording")
    assert "1 of 1 old recordings removed" in prune(desk, "--apply")
    assert not [path for path in local.files(old) if path.startswith("recording")]


def test_a_tag_that_somebody_else_wrote_breaks_nothing(local):
    old = local.noisy(days=40)
    for text in ("[]", "{", "7", '{"artifact": "recording"}', "[" * 4000):
        Run(old).tag("anomaly.pruned", text)
        assert Run(old).path("recording").is_dir()


def test_a_recording_that_may_not_be_removed_stays_and_is_named_at_the_end(desk, local):
    old = local.noisy(days=40)
    local.features(old)
    folder = Run(old).path("recording")
    folder.rename(folder.with_name("elsewhere"))
    folder.symlink_to("elsewhere")  # what removes a folder refuses a link
    done = desk.type("prune_recordings", "--apply")
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.returncode == 1 and f"1 could not be removed: run {old}: " in line
    assert "0 of 1 old recordings removed" in done.stdout
    assert (folder / "epoch=0000" / "part-0.parquet").is_file()


@pytest.mark.parametrize("age", ["30", "d", "-1d", "", "1w", "nan"])
def test_an_age_that_is_none_is_refused_before_anything_is_looked_at(desk, age):
    done = desk.type("prune_recordings", "--older_than", age)
    assert done.returncode == 2 and "is no time span such as 30d" in done.stderr
    assert not (desk.folder / "mlflow.db").exists()


def test_over_a_server_the_files_leave_the_servers_disk(desk, monkeypatch):
    server = RealServer(desk.folder)
    try:
        server.start()
        monkeypatch.setenv("MLFLOW_TRACKING_URI", server.address)
        store = Store(mlflow.MlflowClient(server.address), desk.folder)
        old = store.noisy(days=40)
        store.features(old)
        on_disk = f"store/*/{old}/artifacts/recording/*/*.parquet"
        assert len(list(desk.folder.glob(on_disk))) == EPOCHS
        assert "1 of 1 old recordings removed" in prune(desk, "--older_than", "12h", "--apply", address=server.address)
        assert not list(desk.folder.glob(on_disk))
        assert store.files(old) == {"snapshots/epoch=0002/weights.safetensors"}
    finally:
        server.kill()
