"""`glitches` on a few hundred digits: killed and typed again, it goes on with the next cell."""

import json
import os
import signal

import pandas as pd
import pytest
from desk import Desk
from image_files import png, write_parquet
from test_processes import begin
from test_processes import wait_for as wait_for_process

import entry_points.all_steps  # noqa: F401  (fills STEPS)
from anomaly_mlflow.errors import AnomalyError
from entry_points.glitch_cells import cells_of, check_glitches, options_of, scaled
from entry_points.glitch_checks import check_cells
from entry_points.options import OPTIONS
from entry_points.step import STEPS

pytestmark = pytest.mark.filterwarnings("default")

TINY = ["--subset", "200", "--epochs", "20", "--draws", "100", "--jobs", "1"]
STUDY = ["glitches", *TINY, "--seeds", "1", "--glitches", "uniform,anomalies_random_labels,mixed"]
ASKED = {
    "datasets": "digits", "tests": None, "anomalies": None, "models": "convnet", "glitches": "all", "seeds": 2,
    "glitch_ratio": 0.1, "ablations": "none", "grid": "typed", "subset": None, "pretrained": "no", "training_seed": 0,
}  # fmt: skip


def second_cell_is_at_work(desk):
    # twenty epochs, so that it still is when the signal arrives
    made = desk.runs("train_glitched")
    return len(made) == 2 and "anomaly.fingerprint" in made[0].data.tags


def scores_of(desk, run):
    return pd.read_parquet(desk.artifact(run, "scores/bias=yes-norm=none.parquet"))


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A study that was killed after its first cell, and typed again."""
    desk = Desk(tmp_path_factory.mktemp("glitches"))
    with begin(desk, *STUDY) as process:
        wait_for_process(lambda: second_cell_is_at_work(desk), process)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(30)
    first = desk.oldest("glitch")[0].info.run_id
    done = desk.type(*STUDY)
    assert done.returncode == 0, done.stderr[-3000:]
    return desk, first, done


def test_a_killed_study_goes_on_with_the_next_cell(killed):
    desk, first, _ = killed
    made = [run.data.tags["anomaly.step"] for run in desk.runs()]
    assert {step: made.count(step) for step in set(made)} == {"glitches": 1, "glitch": 3, "train_glitched": 3}
    assert {run.info.status for run in desk.runs()} == {"FINISHED"}
    whole, cells = desk.runs("glitches")[0], desk.runs("glitch")
    below = {run.data.tags["mlflow.parentRunId"] for run in (*cells, *desk.runs("train_glitched"))}
    assert below == {whole.info.run_id}
    assert first in {run.info.run_id for run in cells}
    assert [run.data.params["glitch"] for run in cells[::-1]] == ["uniform", "anomalies_random_labels", "mixed"]


def test_the_tables_have_a_row_for_each_cell_signal_and_measure(killed):
    desk, _, done = killed
    run = desk.runs("glitches")[0].info.run_id
    table = pd.read_csv(desk.artifact(run, "glitches.csv"))
    key = ["glitch", "signal", "measure"]
    assert not table.duplicated(key).any() and set(table["signal"]) >= {"si", "cnci", "pcid", "cfrank", "final_loss"}
    measures = table[table["glitch"] == "mixed"].groupby("signal")["measure"].apply(set)
    assert all({"f1_known", "f1_estimated", "auroc", "average_precision"} <= found for found in measures)
    assert (table["low"] <= table["high"]).all() and table["value"].between(0, 1).all()
    f1 = pd.read_csv(desk.artifact(run, "f1.csv"))
    assert list(f1["ceiling"].round(3)) == [0.976, 0.930, 0.941]  # 21, 23 and 45 flagged, of them 20, 20 and 40
    assert json.loads(desk.artifact(run, "f1.json").read_text())["columns"][:3] == ["dataset", "model", "glitch"]
    for name in ("pattern.csv", "characterisation.csv", "seconds.csv", "f1/digits-convnet.png", "seconds.png"):
        assert desk.artifact(run, name).is_file()
    assert not desk.artifact(run, "ratios.png").exists()
    assert "P3 " in done.stdout and "P4 " in done.stdout and "P2 " not in done.stdout


def test_the_page_begins_with_the_pattern(killed):
    desk, _, _ = killed
    page = desk.artifact(desk.runs("glitches")[0].info.run_id, "report.html").read_text()
    first = page.split('id="section-1"')[1].split("<h2")[0]
    assert "P2, “On anomalies that share one label PCID is far above all others”" in first
    assert "none of the cells bears upon it" in first and "on digits, convnet, mixed at 10 %" in first


def test_a_cell_keeps_scores_without_the_truth_and_the_truth_apart(killed):
    desk, first, _ = killed
    trained = desk.oldest("train_glitched")[0].info.run_id
    scores, truth = scores_of(desk, trained), pd.read_parquet(desk.artifact(trained, "truth.parquet"))
    assert list(scores["sample_id"]) == list(truth["sample_id"]) and len(scores) == 200
    assert not set(scores.columns) & {"true_label", "mislabelled", "anomaly", "glitch"}
    assert truth["mislabelled"].sum() == 20 == (scores["given_label"] != truth["true_label"]).sum()
    facts = json.loads(desk.artifact(first, "facts.json").read_text())
    assert list(facts["seconds"]) == ["training", "influence", "counterfactual", "signals"]
    assert facts["rows"] == 200 and facts["errors"] == 20


def test_a_second_seed_and_a_dirty_reference_set_train_only_what_is_not_there(killed):
    desk, _, _ = killed
    done = desk.type("glitches", *TINY, "--seeds", "2", "--glitches", "uniform")
    assert done.returncode == 0, done.stderr[-3000:]
    made = desk.runs("train_glitched")
    assert len(made) == 4 == len(desk.runs("glitch"))
    seeds = [pd.read_parquet(desk.artifact(run.info.run_id, "truth.parquet")) for run in made[::3]]
    assert not seeds[0].equals(seeds[1])
    dirty = ["glitch", *TINY, "--model", "convnet", "--reference_noise", "0.2", "--glitch", "uniform"]
    done = desk.type(*dirty, "--anomalies", "photographs")
    assert done.returncode == 0, done.stderr[-3000:]
    clean, noisy = (scores_of(desk, run.info.run_id) for run in desk.runs("train_glitched")[::4])
    # the training is the same, so is what reads no reference set; what reads its labels is not
    assert clean["si"].tolist() == pytest.approx(noisy["si"].tolist())
    assert clean["cnci"].tolist() != pytest.approx(noisy["cnci"].tolist())


def test_other_draws_and_another_norm_of_the_influence_are_measured_without_a_training(killed):
    desk, first, _ = killed
    trained = {run.info.run_id for run in desk.runs("train_glitched")}
    for words in (["--draws", "150"], ["--influence_norm", "cosine", "--influence_bias", "no"]):
        done = desk.type("glitches", *TINY, "--seeds", "1", "--glitches", "uniform", *words)
        assert done.returncode == 0, done.stderr[-3000:]
    assert {run.info.run_id for run in desk.runs("train_glitched")} == trained
    draws, cosine = (run.info.run_id for run in desk.runs("glitch")[1::-1])
    assert len(pd.read_parquet(desk.artifact(draws, "draws.parquet"))) == 150
    before, after, other = (
        pd.read_csv(desk.artifact(run, "measures.csv")).set_index(["signal", "measure"])["value"]
        for run in (first, draws, cosine)
    )
    assert before.equals(after) and not before.equals(other)
    # by the cosine self-influence is the same for every row, so that all are flagged: F1 of 20 of 200
    assert other["si", "f1_known"] == pytest.approx(2 * 20 / 220)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"glitches": "uniform,unifrom"}, "unknown glitch 'unifrom'; known: anomalies_one_label, "),
        ({"models": "convnet,resnet2"}, "unknown model 'resnet2'; close: "),
        ({"ablations": "ratio"}, "unknown ablation 'ratio'; known: ratios, reference"),
        ({"tests": "a|b"}, "tests names 2 sources and datasets 1; name one for each"),
        ({"datasets": "a|b", "anomalies": "noise"}, "anomalies names 1 sources and datasets 2; name one for each"),
        ({"datasets": "a|a"}, "datasets names a source twice: 'a|a'; name each once"),
        ({"pretrained": "yes"}, "model 'convnet' has no pretrained weights"),
    ],
)
def test_lists_that_make_no_sense_are_refused_in_one_line(changed, said):
    check_glitches(ASKED)
    with pytest.raises(AnomalyError) as caught:
        check_glitches(ASKED | changed)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_a_refused_study_fails_in_one_line_and_trains_nothing(desk):
    done = desk.type("glitches", *TINY, "--glitches", "noise")
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.returncode == 1 and len(errors) == 1 and "unknown glitch 'noise'" in errors[0], done.stderr[-2000:]
    assert [run.info.status for run in desk.runs()] == ["FAILED"]


def test_anomalies_from_the_test_set_are_refused_before_a_training(desk, tmp_path):
    spec, test = (
        write_parquet(tmp_path / f"{name}.parquet", [png(first + seed) for seed in range(n)], [0, 1] * (n // 2))
        for name, first, n in (("mine", 0, 60), ("held", 100, 40))
    )
    glitch = ["--glitch", "anomalies_one_label", "--model", "convnet", "--epochs", "1"]
    done = desk.type("glitch", "--dataset", spec, "--test", test, "--anomalies", test, *glitch)
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.returncode == 1 and len(errors) == 1, done.stderr[-2000:]
    assert "6 of 40 reference images are among the training images" in errors[0]
    assert {run.info.status for run in desk.runs()} == {"FAILED"}


def test_a_bad_cell_is_told_before_the_first_training(desk, tmp_path):
    few = write_parquet(tmp_path / "few.parquet", [png(seed) for seed in range(20)], [0, 1] * 10)
    done = desk.type("glitches", *TINY, "--seeds", "1", "--glitches", "uniform,mixed", "--anomalies", few)
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.returncode == 1 and len(errors) == 1, done.stderr[-2000:]
    assert "digits, convnet, mixed at 10 %, seed 0: 20 anomalies of one class are needed and the largest" in errors[0]
    assert [run.info.status for run in desk.runs()] == ["FAILED"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"batch_size": 201}, "digits, convnet, uniform at 10 %, seed 0: batch_size=201 is more than the 200 images"),
        ({"glitch_ratio": 0.001}, "uniform at 0.1 %, seed 0: a glitch ratio of 0.001 hits none of 200 images"),
        ({"anomalies": "digits"}, "digits, convnet, anomalies_one_label at 10 %, seed 0: "),
    ],
)
def test_cells_that_cannot_be_trained_are_named_without_a_training(changed, said):
    typed = {name: OPTIONS[name].type.convert(OPTIONS[name].default, None, None) for name in STEPS["glitches"].options}
    typed |= {"subset": 200, "glitches": "uniform,anomalies_one_label", "seeds": 2}
    check_cells(variants(typed))
    with pytest.raises(AnomalyError) as caught:
        check_cells(variants(typed | changed))
    assert said in str(caught.value) and "\n" not in str(caught.value)


def variants(options):
    return [one for cell in cells_of(options) for one in options_of(cell, options)]


def test_the_grid_of_the_paper_is_one_option_and_what_is_typed_stays(tmp_path):
    whole = scaled(ASKED | {"grid": "paper", "seeds": 3})  # 3 is what stands where none is typed
    cells = cells_of(whole)
    assert len(cells) == 9 * (8 + 8 + 3) and len(set(cells)) == len(cells) and whole["seeds"] == 5
    assert {cell.data.foreign for cell in cells} == {"mnist", "fashion_mnist"}
    spec = write_parquet(tmp_path / "mine.parquet", [png(seed) for seed in range(100)], [0, 1] * 50)
    own = scaled(ASKED | {"grid": "paper", "datasets": spec, "models": "vit", "seeds": 2})
    runs = options_of(cells_of(own)[0], own)
    assert [one["training_seed"] for one in runs] == [0, 1] and {one["subset"] for one in runs} == {10}
    assert runs[0]["model"] == "vit" and runs[0]["anomalies"] == "photographs"
