"""The main job on a few hundred digits: what a run leaves behind."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from desk import SMALL

from anomaly_mlflow.signals import SIGNALS

pytestmark = pytest.mark.filterwarnings("default")

STEPS = {
    "train_baseline": 1,
    "generate_noise": 1,
    "train_clean": 1,
    "train_folds": 1,
    "train_probes": 1,
    "train_noisy": 2,
    "extract_features": 2,
    "judge": 1,
    "explain": 1,
    "main": 1,
}


def test_every_step_is_a_finished_run_tagged_with_its_own_name(study):
    desk, _ = study
    made = desk.runs()[::-1][: sum(STEPS.values())]
    found = [run.data.tags["anomaly.step"] for run in made]
    assert {name: found.count(name) for name in set(found)} == STEPS
    assert {run.info.status for run in made} == {"FINISHED"}


def test_the_terminal_shows_verdicts_link_and_report(study):
    _, done = study
    for claim in ("H1", "H2", "H3"):
        assert re.search(rf"^{claim} +all +verdict .* (SUPPORTED|REFUTED|UNDECIDED)$", done.stdout, re.MULTILINE)
    assert re.search(r"^run: +http\S+\?workflowType=machine_learning$", done.stdout, re.MULTILINE)
    report = re.search(r"^report: +(\S+report\.html)$", done.stdout, re.MULTILINE)
    assert report and "<html" in Path(report[1]).read_text()[:500]


def test_the_main_run_carries_the_artifacts_that_were_promised(study):
    desk, _ = study
    run = desk.oldest("main")[0].info.run_id
    features = pd.read_parquet(desk.artifact(run, "features.parquet"))
    assert list(features.columns) == ["sample_id", *(signal.column for signal in SIGNALS.values())]
    assert len(features) == 400 and np.isfinite(features.to_numpy()).all()
    verdicts = pd.read_csv(desk.artifact(run, "verdicts.csv"))
    assert list(verdicts.columns) == ["claim", "arm", "metric", "value", "low", "high", "n", "verdict"]
    table = pd.read_csv(desk.artifact(run, "auroc_by_type.csv"), index_col=0)
    assert list(table.columns) == ["hard", "near_miss", "gross", "random_flip", "ood"]
    assert set(table.index) == set(features.columns[1:])
    assert desk.artifact(run, "report.html").stat().st_size > 100_000


def test_the_recording_is_one_file_an_epoch_and_holds_every_sample(study):
    desk, _ = study
    folder = desk.artifact(desk.oldest("train_noisy")[0].info.run_id, "recording")
    files = sorted(folder.rglob("*.parquet"))
    assert files == [folder / f"epoch={epoch:04d}" / "part-0.parquet" for epoch in range(6)]
    ledger = pd.read_parquet(desk.artifact(desk.oldest("generate_noise")[0].info.run_id, "ledger.parquet"))
    for path in files:
        assert set(pd.read_parquet(path, partitioning=None)["sample_id"]) == set(ledger["sample_id"])


def test_seeds_of_the_noisy_model_differ(study):
    desk, _ = study
    first, second = (
        pd.read_parquet(desk.artifact(run.info.run_id, "features.parquet"))
        for run in desk.oldest("extract_features", 2)
    )
    assert np.array_equal(first["sample_id"], second["sample_id"])
    assert not np.array_equal(first["dynamics.mean_loss"], second["dynamics.mean_loss"])
    assert np.array_equal(first["geometry.knn_distance"], second["geometry.knn_distance"])


def test_no_clean_side_model_ever_saw_a_row_it_judges_and_none_saw_a_hard_or_anomalous_row(study):
    desk, _ = study
    model = desk.oldest("train_clean")[0].data.tags["anomaly.model_id"]
    folder = desk.client.get_logged_model(model).artifact_location
    plan = pd.read_parquet(f"{folder}/artifacts/model/cross_fit.parquet")
    ledger = pd.read_parquet(desk.artifact(desk.oldest("generate_noise")[0].info.run_id, "ledger.parquet"))
    assert set(ledger["anomaly_type"][plan["reference"].to_numpy()]) == {"clean"}
    assert plan["fold"].nunique() == 3


def test_registered_models_bear_the_names_of_side_data_and_model_and_have_a_champion(study):
    desk, _ = study
    for side, versions in (("clean", 1), ("noisy", 2)):
        name = f"{side}-digits-convnet"
        assert len(desk.client.search_model_versions(f"name = '{name}'")) == versions
        champion = desk.client.get_model_version_by_alias(name, "champion")
        best = max(float(v.tags["test_accuracy"]) for v in desk.client.search_model_versions(f"name = '{name}'"))
        assert float(champion.tags["test_accuracy"]) == best
        assert int(desk.client.get_model_version_by_alias(name, "latest").version) == versions


def test_a_second_start_finds_every_step_again_by_its_fingerprint(study):
    desk, _ = study
    before = len(desk.runs())
    assert desk.type("main", *SMALL).returncode == 0
    assert [run.data.tags["anomaly.step"] for run in desk.runs()].count("main") == 2
    assert len(desk.runs()) == before + 1


def test_champions_pulled_in_a_new_process_give_the_same_features(study):
    desk, _ = study
    champion = desk.client.get_model_version_by_alias("noisy-digits-convnet", "champion").run_id
    made = [
        run
        for run in desk.oldest("extract_features", 2)
        if champion in desk.artifact(run.info.run_id, "upstream.json").read_text()
    ]
    done = desk.type(
        "extract_features",
        "--clean_run", "models:/clean-digits-convnet@champion",
        "--noisy_run", "models:/noisy-digits-convnet@champion",
        MLFLOW_ALLOW_PICKLE_DESERIALIZATION="false",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    before = pd.read_parquet(desk.artifact(made[0].info.run_id, "features.parquet"))
    after = pd.read_parquet(desk.artifact(desk.runs("extract_features")[0].info.run_id, "features.parquet"))
    pd.testing.assert_frame_equal(before, after, atol=1e-5, rtol=1e-5)


def test_extraction_runs_no_code_of_the_model_artifact(study, tmp_path):
    desk, _ = study
    version = desk.client.get_model_version_by_alias("noisy-digits-convnet", "champion")
    model = desk.client.get_logged_model(desk.client.get_run(version.run_id).data.tags["anomaly.model_id"])
    served = next(path for path in Path(model.artifact_location).rglob("served_model.py"))
    text = served.read_text()
    served.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n{text}")
    try:
        done = desk.type("extract_features", "--noisy_run", f"models:/noisy-digits-convnet/{version.version}",
                         "--clean_run", "models:/clean-digits-convnet@champion", "--signals", "entropy")  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        assert not (tmp_path / "ran").exists()
    finally:
        served.write_text(text)


def test_a_registered_model_serves_probabilities_through_mlflow(study):
    import mlflow
    from sklearn.datasets import load_digits

    desk, _ = study
    version = desk.client.get_model_version_by_alias("clean-digits-convnet", "champion")
    model_id = desk.client.get_run(version.run_id).data.tags["anomaly.model_id"]
    model = mlflow.pyfunc.load_model(desk.client.get_logged_model(model_id).artifact_location)
    images = np.round(load_digits().images[:20, :, :, None] * 255 / 16).astype(np.uint8)
    probabilities = model.predict(images)
    assert probabilities.shape == (20, 10)
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(20), abs=1e-5)
