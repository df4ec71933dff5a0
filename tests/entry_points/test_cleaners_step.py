"""The study of cleaners on a few digits: a noise, clean labels, checked ones, and two retrainings."""

import json

import numpy as np
import pandas as pd
import pytest
from desk import Desk

import entry_points.all_steps  # noqa: F401
from anomaly_mlflow.data.sources import load
from anomaly_mlflow.errors import AnomalyError
from entry_points.cleaner_cells import check_cleaners, noises_of, options_of, retrainings_of
from entry_points.options import OPTIONS
from entry_points.step import STEPS

pytestmark = pytest.mark.filterwarnings("default")

STUDY = ["cleaners", "--subset", "300", "--model", "convnet", "--epochs", "10", "--batch_size", "32", "--seeds", "1"]
STUDY += ["--baseline_epochs", "2", "--baseline_folds", "2", "--validation_folds", "2", "--draws", "100", "--jobs", "1"]
ANCHORS = {"anchors_linear", "anchors_learned", "classifier_argmax", "anchors_linear/lambda_p/0.8"}
SCORED = {"small_loss", "confident_learning", "neighbour_vote", "fine", "conformal_fdr", *ANCHORS}
STUDY += ["--noises", "symmetric:0.3|clean", "--scored", ",".join(sorted(SCORED))]


def checked(folder):
    """A table of digits that somebody has checked: of every third the right label."""
    samples = load("digits")
    labels = np.where(samples.sample_id % 3 == 0, samples.labels, -1)
    pd.DataFrame({"index": samples.sample_id, "said": labels}).to_parquet(folder / "checked.parquet")
    return ["--checked", f"parquet:{folder / 'checked.parquet'}#said"]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    desk = Desk(tmp_path_factory.mktemp("cleaners"))
    found = desk.type(*STUDY, *checked(desk.folder))
    assert found.returncode == 0, found.stderr[-3000:]
    return desk, desk.runs("cleaners")[0].info.run_id, found


def test_one_table_holds_every_noise_and_cleaner(done):
    desk, whole, found = done
    table = pd.read_csv(desk.artifact(whole, "cleaners.csv"))
    assert set(table["noise"]) == {"symmetric 0.3", "clean"}
    assert set(table["cleaner"]) == SCORED
    noisy = table[table["noise"] == "symmetric 0.3"]
    assert noisy["rate"].between(0.25, 0.35).all() and (noisy.loc[noisy["measure"] == "auroc", "value"] > 0.5).any()
    assert (noisy.loc[noisy["measure"] == "cpu_seconds", "value"] > 0).all()
    measured = noisy[(noisy["measure"] != "cpu_seconds") & noisy["value"].notna()]
    assert (measured["low"] <= measured["value"] + 1e-6).all() and (measured["value"] <= measured["high"] + 1e-6).all()
    assert "finds best" in found.stdout
    for name in ("report.html", "cleaners.json", "average_precision.png"):
        assert desk.artifact(whole, name).is_file()


def test_what_a_repair_does_is_told_at_several_confidences_and_where_it_cannot_be_why(done):
    desk, whole, found = done
    assert "what a repair does is not told: spectral_truncation is not scored" in found.stdout
    assert "spectral_truncation is not scored" in desk.artifact(whole, "report.html").read_text()
    names = ["--cleaner_names", "confident_learning,neighbour_vote", "--repair_confidence", "0.6"]
    again = desk.type(*STUDY, *checked(desk.folder), *names)
    assert again.returncode == 0, again.stderr[-3000:]
    whole = desk.runs("cleaners")[0].info.run_id
    curve = pd.read_csv(desk.artifact(whole, "repair.csv"))
    assert set(curve["noise"]) == {"symmetric 0.3", "clean"} and (curve.groupby("noise")["chosen"].sum() == 1).all()
    assert (curve.loc[curve["chosen"], "repair_confidence"] == 0.6).all()
    assert all(own["changed"].is_monotonic_decreasing for _, own in curve.groupby("noise"))
    assert (curve.loc[curve["noise"] == "clean", "wrong_before"] == 0).all() and "wrong_after" in again.stdout
    assert desk.artifact(whole, "wrong_labels.png").is_file()


def test_anchors_stand_beside_their_baselines_and_a_setting_beside_its_default(done):
    desk, whole, found = done
    anchors, ablation = (pd.read_csv(desk.artifact(whole, f"{name}.csv")) for name in ("anchors", "anchor_ablation"))
    assert set(anchors["noise"]) == {"symmetric 0.3"} and set(anchors["cleaner"]) == {
        "anchors_linear",
        "anchors_learned",
    }
    assert set(ablation["noise"]) == {"symmetric 0.3", "clean"}
    assert set(ablation["setting"]) == {"lambda_p"} and set(ablation["cleaner"]) == {"anchors_linear"}
    told = anchors["difference"].notna()
    assert told.any()
    assert np.allclose(anchors["difference"][told], (anchors["value"] - anchors["value_beside"])[told], atol=1e-6)
    assert "symmetric 0.3: the learned hallucinator " in found.stdout
    page = desk.artifact(whole, "report.html").read_text()
    assert "Does the learned hallucinator earn its place?" in page and "Settings of anchor hallucination" in page
    assert desk.artifact(whole, "anchor_ablation.png").is_file()
    metrics = desk.runs("cleaners")[0].data.metrics
    assert "symmetric_0.3/anchors_linear/lambda_p/0.8" in metrics


def test_rows_that_were_checked_and_right_are_trusted_and_told(done):
    desk, _, _ = done
    for one in desk.runs("score_cleaners"):
        facts = json.loads(desk.artifact(one.info.run_id, "facts.json").read_text())
        frame = pd.read_parquet(desk.artifact(one.info.run_id, "cleaners.parquet"))
        truth = pd.Series(load("digits").labels, load("digits").sample_id)[frame["sample_id"]].to_numpy()
        trusted = (frame["sample_id"] % 3 == 0) & (frame["given"] == truth)
        assert facts["trusted"] == one.data.metrics["trusted"] == trusted.sum() > 0
        assert frame.loc[trusted, "conformal_fdr.kept"].all() and (frame.loc[trusted, "conformal_fdr.trust"] == 1).all()
        assert (frame.loc[~trusted, "conformal_fdr.trust"] < 1).any()


def test_with_retrainings_the_scores_are_found_again(done):
    desk, _, _ = done
    scored = len(desk.runs("score_cleaners"))
    again = desk.type(*STUDY, *checked(desk.folder), "--retrainings", "plain@kept:small_loss|label_smoothing@given")
    assert again.returncode == 0, again.stderr[-3000:]
    assert len(desk.runs("score_cleaners")) == scored == 2 and len(desk.runs("retrain")) == 6
    gains = pd.read_csv(desk.artifact(desk.runs("cleaners")[0].info.run_id, "retrained.csv"))
    assert list(gains["trained on"]) == ["plain@given", "plain@kept:small_loss", "label_smoothing@given"] * 2
    assert gains["gain"].notna().sum() == 4


def asked(**changed):
    defaults = {name: one.type.convert(one.default, one, None) for name, one in OPTIONS.items()}
    return {name: defaults[name] for name in STEPS["cleaners"].options} | changed


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ("confident_lerning", "unknown cleaner 'confident_lerning'"),
        ("small_loss", "a repair needs two mechanisms"),
        ("conformal_fdr,small_loss", "needs trusted, which no step makes"),
    ],
)
def test_a_repair_that_cannot_be_is_told_before_anything_is_trained(names, says):
    with pytest.raises(AnomalyError, match=says):
        check_cleaners(asked(cleaner_names=names))


def test_every_seed_is_another_draw_of_everything():
    options = asked(noises="symmetric:0.2|clean", seed=3, training_seed=5, seeds=2)
    noisy, clean = (options_of(noise, options) for noise in noises_of(options))
    assert [(one["seed"], one["training_seed"], one["retrain_seed"]) for one in noisy] == [(3, 5, 0), (4, 6, 1)]
    assert (noisy[0]["convention"], noisy[0]["convention_rate"], clean[0]["convention"]) == ("symmetric", 0.2, "none")
    assert not any(
        one[f"{kind}_share"] for one in clean for kind in ("near_miss", "gross", "random_flip", "ood", "hard")
    )
    assert retrainings_of(options) == []


def test_only_the_noise_that_people_confuse_is_told_what_people_confuse():
    options = asked(noises="human_confusion:0.2|clean", confusion="parquet:a.parquet#one,two")
    people, clean = (options_of(noise, options)[0]["confusion"] for noise in noises_of(options))
    assert people == "parquet:a.parquet#one,two" and clean is None


def test_what_the_study_sets_itself_is_refused():
    check_cleaners(asked(noises="symmetric:0.2"))
    for changed, said in (
        ({"convention": "symmetric"}, "convention=symmetric has no effect in cleaners"),
        ({"ood_share": 0.2}, "ood_share=0.2 has no effect in cleaners"),
        ({"noises": "symmetri:0.2"}, "unknown convention 'symmetri'"),
        ({"noises": "symmetric:0.2", "scored": "fin"}, "unknown cleaner 'fin'"),
        ({"noises": "clean", "scored": "conformal_fdr"}, "conformal_fdr needs trusted"),
        ({"noises": "clean", "retrainings": "plane@given"}, "unknown learner 'plane'"),
        ({"noises": "clean", "retrainings": "plain@best"}, "unknown variant 'best'"),
        ({"noises": "clean", "scored": "fine", "retrainings": "plain@kept:small_loss"}, "not among the cleaners"),
        ({"noises": "clean", "retrainings": "plain@kept:conformal_fdr"}, "conformal_fdr is not among the cleaners"),
        ({"noises": "clean", "retrainings": "plain@relabelled:fine"}, "fine proposes no labels; write kept:fine"),
        ({"noises": "clean", "cleaner_names": "fine", "retrainings": "plain@cleaned"}, "these propose no labels"),
        ({"noises": "human_confusion:0.2"}, "needs the option confusion"),
    ):
        with pytest.raises(AnomalyError, match=said):
            check_cleaners(asked(**changed))
