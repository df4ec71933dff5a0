"""`robustness` on a few hundred digits: trained baselines, registered models, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from desk import Desk

from anomaly_mlflow.data.sources import load_split
from anomaly_mlflow.errors import AnomalyError, BadData
from anomaly_mlflow.models import Architecture, build
from anomaly_mlflow.training.checkpoints import load_model
from anomaly_mlflow.training.inference import accuracy
from entry_points.decay_curves import _log_probability
from entry_points.robustness_models import check_robustness

pytestmark = pytest.mark.filterwarnings("default")

TINY = ["--subset", "300", "--epochs", "10", "--batch_size", "32", "--draws", "200", "--jobs", "1"]
STUDY = ["robustness", *TINY, "--seeds", "2", "--corruptions", "gaussian_noise,gaussian_blur"]
ASKED = {"models": "convnet", "corruptions": "all", "pretrained": "no", "training_seed": 0, "seeds": 2}


@pytest.fixture(scope="module")
def studied(tmp_path_factory):
    desk = Desk(tmp_path_factory.mktemp("robustness"))
    done = desk.type(*STUDY)
    assert done.returncode == 0, done.stderr[-3000:]
    return desk, desk.runs("robustness")[0].info.run_id, done


def test_a_model_whose_weights_are_no_numbers_is_refused():
    model, images = build(Architecture("convnet", (8, 8, 1), 10)).eval(), np.zeros((3, 8, 8, 1), np.uint8)
    assert np.exp(_log_probability(model, images)).sum(axis=1) == pytest.approx(np.ones(3))
    model.head.bias.data[3] = np.nan
    with pytest.raises(BadData, match="no finite numbers for these images; train it again"):
        _log_probability(model, images)


def test_each_seed_is_a_run_within_the_study_and_the_second_command_finds_them(studied):
    desk, whole, _ = studied
    made = desk.oldest("decay_curves", 2)
    assert {run.data.tags["mlflow.parentRunId"] for run in made} == {whole}
    assert {run.info.status for run in desk.runs()} == {"FINISHED"}
    again = desk.type(*STUDY[:-4], "--seeds", "1", "--corruptions", "gaussian_blur,gaussian_noise")
    assert again.returncode == 0, again.stderr[-3000:]
    assert len(desk.runs("decay_curves")) == 3  # another list of corruptions, as typed
    again = desk.type(*STUDY[:-4], "--seeds", "1", "--corruptions", "gaussian_noise,gaussian_blur")
    assert again.returncode == 0 and len(desk.runs("decay_curves")) == 3


def test_severity_0_is_the_clean_accuracy_exactly_and_curves_fall_within_noise(studied):
    desk, whole, _ = studied
    points = pd.read_csv(desk.artifact(whole, "curves.csv"))
    accuracies = points[points["measure"] == "accuracy"]
    made = desk.oldest("decay_curves", 2)
    facts = [json.loads(desk.artifact(run.info.run_id, "facts.json").read_text()) for run in made]
    clean = sum(one["test_accuracy"] for one in facts) / 2
    whole_clean = accuracies.loc[accuracies["severity"] == 0, "value"].to_numpy()
    assert whole_clean == pytest.approx(np.full(2, clean), rel=1e-14)  # as exact as a CSV file is read
    summary = pd.read_csv(desk.artifact(whole, "summary.csv")).set_index("corruption")
    assert (summary["rise_low"] <= 0).all() and summary.loc["gaussian_blur", "worst"] < clean - 0.1
    falling = accuracies.groupby("corruption")["similarity"].apply(lambda column: column.is_monotonic_decreasing)
    assert falling.all()


def test_what_is_logged_can_be_compared_and_read(studied):
    desk, whole, done = studied
    beside = pd.read_csv(desk.artifact(whole, "report_table.csv"))
    assert list(beside.columns) == ["figure", "report", "ours", "low", "high", "n", "verdict", "why"]
    assert "other data than the report's CIFAR-10" in beside.loc[0, "why"] and beside.loc[0, "verdict"] == "undecided"
    assert json.loads(desk.artifact(whole, "report_table.json").read_text())["columns"] == list(beside.columns)
    for name in ("report.html", "decay.png", "equal_distortion.png", "equal.csv"):
        assert desk.artifact(whole, name).is_file()
    curve = desk.client.get_metric_history(whole, "convnet.accuracy.gaussian_noise")
    assert [entry.step for entry in curve] == list(range(8))
    training = json.loads(desk.artifact(desk.oldest("decay_curves")[0].info.run_id, "training.json").read_text())
    assert (training["schedule"], training["optimizer"], training["augmentation"]) == ("cosine", "sgd", "crop")
    assert "noise costs more than blur at equal SSIM" in done.stdout


def test_a_registered_model_is_judged_as_it_is_on_its_own_test_set(study):
    desk, _ = study
    models = "models:/noisy-digits-convnet/1,models:/noisy-digits-convnet@champion"
    small = ["--subset", "400", "--draws", "100", "--jobs", "1", "--corruptions", "gaussian_noise"]
    done = desk.type("robustness", *small, "--models", models)
    assert done.returncode == 0, done.stderr[-3000:]
    one = desk.runs("decay_curves")[0].info.run_id
    facts = json.loads(desk.artifact(one, "facts.json").read_text())
    assert facts["trained on"].endswith("judged on its own test set")
    made = desk.client.get_model_version("noisy-digits-convnet", "1").run_id
    logged = desk.client.get_run(made).data.tags["anomaly.model_id"]
    folder = desk.client.get_logged_model(logged).artifact_location
    test = load_split("digits", subset=400)[1]
    curves = desk.artifact(desk.runs("robustness")[0].info.run_id, "curves.csv")
    ours = pd.read_csv(curves)
    clean = ours[(ours["model"] == "models:/noisy-digits-convnet/1") & (ours["severity"] == 0)]
    found = clean.loc[clean["measure"] == "accuracy", "value"].item()
    assert found == pytest.approx(accuracy(load_model(Path(folder, "artifacts", "model")), test), rel=1e-14)
    wrong = desk.type("robustness", "--models", "models:/noisy-digits-convnet/1", "--image_size", "12", "--jobs", "1")
    assert wrong.returncode == 1 and "have shapes 8x8x1 and 12x12x1" in wrong.stderr


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"corruptions": "gaussian_noise,fog"}, "unknown corruption 'fog'; known: brightness, "),
        ({"models": "convnet,resnet2"}, "unknown model 'resnet2'; close: "),
        ({"pretrained": "yes"}, "model 'convnet' has no pretrained weights"),
    ],
)
def test_lists_that_make_no_sense_are_refused_in_one_line(changed, said):
    check_robustness(ASKED)
    with pytest.raises(AnomalyError) as caught:
        check_robustness(ASKED | changed)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_a_model_that_is_not_registered_fails_in_one_line_and_trains_nothing(desk):
    done = desk.type("robustness", *TINY, "--models", "models:/nobody@champion")
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.returncode == 1 and len(errors) == 1 and "no registered model" in errors[0], done.stderr[-2000:]
    assert [run.info.status for run in desk.runs()] == ["FAILED"]
