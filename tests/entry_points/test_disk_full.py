"""A disk that fills up in mid-training: a small file system of its own where the machine lets us mount one."""

import subprocess

import pandas as pd
import pytest
from services import need

pytestmark = pytest.mark.filterwarnings("default")

WORDS = ["train_noisy", "--subset", "300", "--model", "convnet", "--epochs", "10", "--baseline_epochs", "1"]


@pytest.fixture
def small_disk(desk):
    """A file system of 10 MB for what runs keep: less than ten epochs of this training take."""
    folder = desk.folder / "state"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=10m", "tmpfs", folder], capture_output=True, text=True
    )
    need(mounted.returncode == 0, f"this machine mounts no tmpfs ({mounted.stderr.strip()})")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_ends_the_run_in_one_line_and_with_room_again_the_same_command_goes_on(desk, small_disk):
    done = desk.type(*WORDS)
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert (done.returncode, len(errors)) == (1, 1), done.stderr[-3000:]
    assert "No space left on device" in errors[0] and str(small_disk) in errors[0]
    (run,) = desk.runs("train_noisy")
    assert run.info.status == "FAILED"
    sent = sorted(desk.artifact(run.info.run_id, "recording").rglob("*.parquet"))
    assert 0 < len(sent) < 10
    assert all(len(pd.read_parquet(path, partitioning=None)) == 300 for path in sent)

    subprocess.run(["mount", "-o", "remount,size=100m", small_disk], check=True)
    done = desk.type(*WORDS)
    assert done.returncode == 0, done.stderr[-3000:]
    (again,) = desk.runs("train_noisy")
    assert (again.info.run_id, again.info.status) == (run.info.run_id, "FINISHED")
    steps = [entry.step for entry in desk.client.get_metric_history(run.info.run_id, "loss")]
    assert sorted(steps) == list(range(10))
    assert len(list(desk.artifact(run.info.run_id, "recording").rglob("*.parquet"))) == 10
