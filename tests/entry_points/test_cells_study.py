"""`hypotheses` on a few hundred digits: killed and typed again, it goes on cell by cell; a planted leak is caught."""

import json
import os
import signal
import subprocess
import sys

import pandas as pd
import pytest
from desk import Desk
from test_processes import begin
from test_processes import wait_for as wait_for_process

pytestmark = pytest.mark.filterwarnings("default")

FEW = ["--subset", "300", "--epochs", "2", "--baseline_epochs", "1", "--folds", "2", "--seeds", "1", "--passes", "2"]
FEW += ["--draws", "100", "--jobs", "1"]
CELLS = ["hypotheses", "--scale", "small", *FEW, "--cells", "hard_by=boundary,hard_by=raters,ood_label=kept"]
MODEL = ["--model", "convnet", "--signals", "prototype_distance,entropy,mean_loss,final_loss"]
# Takes hard rows for clean ones when the clean side is trained, as a step that had forgotten them would.
LEAK = """
import sys
import entry_points.all_steps
step = sys.modules["entry_points.train_clean"]
truth = step.read_ledger
step.read_ledger = lambda *where: truth(*where).replace({"anomaly_type": {"hard": "clean"}})
from entry_points.cli import run
sys.exit(run(sys.argv[1:]))
"""


def second_clean_side(desk):
    made = desk.runs("train_clean")
    return made[0].data.tags if len(made) == 2 else {}


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A study that was killed after its first cell, and typed again."""
    desk = Desk(tmp_path_factory.mktemp("cells"))
    with begin(desk, *CELLS) as process:
        wait_for_process(lambda: [run.info.status for run in desk.runs("judge")] == ["FINISHED"], process)
        wait_for_process(lambda: "anomaly.fingerprint" in second_clean_side(desk), process)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(30)
    first = desk.runs("judge")[0].info.run_id
    done = desk.type(*CELLS)
    assert done.returncode == 0, done.stderr[-3000:]
    return desk, first, done


def verdicts(desk):
    finished = next(run for run in desk.runs("hypotheses") if run.info.status == "FINISHED")
    return pd.read_csv(desk.artifact(finished.info.run_id, "verdicts.csv"), keep_default_na=False)


def test_a_killed_study_goes_on_with_the_cell_it_was_in_and_shares_what_cells_share(killed):
    desk, first, _ = killed
    made = [run.data.tags["anomaly.step"] for run in desk.runs()]
    assert {step: made.count(step) for step in set(made)} == {
        "hypotheses": 1,
        "judge": 3,
        "train_baseline": 1,
        "generate_noise": 3,
        "train_clean": 3,
        "train_noisy": 2,
        "extract_features": 3,
    }
    assert {run.info.status for run in desk.runs()} == {"FINISHED"}
    assert desk.oldest("judge")[0].info.run_id == first


def test_the_table_has_every_cell_seed_and_claim_and_says_what_was_not_run(killed):
    desk, _, done = killed
    frame = verdicts(desk)
    assert list(frame.columns[:6]) == ["cell", "factor", "claim", "arm", "metric", "seed"]
    assert list(dict.fromkeys(frame["cell"])) == ["primary", "hard_by=boundary", "hard_by=raters", "ood_label=kept"]
    assert set(frame["seed"]) == {"all", "0"}
    whole = frame[frame["metric"] == "verdict"].set_index(["cell", "claim"])
    assert set(whole.loc["primary"]["verdict"]) <= {"supported", "refuted", "undecided"}
    assert set(whole.loc["hard_by=raters"]["verdict"]) == {""}
    assert set(whole.loc["hard_by=raters"]["state"]) == {"not run: needs option raters"}
    assert list(whole.loc["ood_label=kept"].index) == ["H1"]
    assert "hard_by=raters                  not run: needs option raters" in done.stdout
    lines = pd.read_csv(desk.artifact(desk.runs("hypotheses")[0].info.run_id, "cells.csv"))
    assert list(lines["cell"]) == list(dict.fromkeys(frame["cell"]))


def test_the_page_says_first_what_holds_and_where(killed):
    desk, _, _ = killed
    page = desk.artifact(desk.runs("hypotheses")[0].info.run_id, "report.html").read_text()
    first = page.split('id="section-1"')[1].split("<h2")[0]
    assert all(f"{claim}, “" in first for claim in ("H1", "H2", "H3")) and "in the primary cell" in first
    assert "hard_by=raters was not run: needs option raters" in first


def test_only_the_signals_of_the_arms_are_extracted_and_geometry_alone_trains_no_noisy_model(killed):
    desk, _, _ = killed
    features = [run.data.params["signals"] for run in desk.runs("extract_features")]
    assert features[0] == "prototype_distance,prototype_ratio,knn_distance,knn_disagreement"
    assert len(features[2].split(",")) == 26 and not desk.runs("train_folds")


def test_options_that_make_no_cell_are_refused_before_anything_is_made(killed):
    desk, _, _ = killed
    done = desk.type("hypotheses", "--scale", "small", "--subset", "250", "--cells", "hard")
    assert done.returncode == 1 and "unknown cell 'hard'; known: hard_by=boundary" in done.stderr, done.stderr[-2000:]
    assert len(desk.runs("train_baseline")) == 1


def test_cells_around_the_primary_one_go_side_by_side_and_say_the_same(killed):
    desk, _, _ = killed
    before = verdicts(desk).set_index(["cell", "claim", "arm", "metric", "seed"])
    known = {run.info.run_id for run in desk.runs("train_clean")}
    cells = "ood_label=single,ood_label=kept,model=resnet20"
    done = desk.type(*CELLS[:-1], cells, "--model", "convnet", "--jobs", "2")
    assert done.returncode == 0, done.stderr[-3000:]
    made = [run for run in desk.runs("train_clean") if run.info.run_id not in known]
    assert len(made) == len({json.loads(run.data.tags["anomaly.owner"])["process"] for run in made}) == 2
    after = verdicts(desk)
    assert list(dict.fromkeys(after["cell"])) == ["primary", "ood_label=single", "ood_label=kept", "model=resnet20"]
    assert set(after.loc[after["metric"] == "verdict", "state"]) == {"judged"}
    after = after.set_index(list(before.index.names))
    same = [cell in ("primary", "ood_label=kept") for cell in after.index.get_level_values("cell")]
    pd.testing.assert_frame_equal(after[same], before.loc[after[same].index])


def test_hard_rows_in_the_reference_set_stop_the_study_in_one_line(tmp_path):
    desk = Desk(tmp_path)
    words = ["judge", *FEW, *MODEL]
    done = subprocess.run([sys.executable, "-c", LEAK, *words], cwd=desk.folder, env=desk.environment(),
                          capture_output=True, text=True)  # fmt: skip
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.returncode == 1 and len(errors) == 1, done.stderr[-3000:]
    assert "the clean side learnt from rows that are not clean (15 hard); run train_clean again" in errors[0]
    assert desk.runs("judge")[0].info.status == "FAILED"
    assert desk.runs("extract_features")[0].info.status == "FINISHED"
