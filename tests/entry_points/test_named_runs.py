"""What a run that the user names brings along, and what is made only once."""

import json

import pytest

pytestmark = pytest.mark.filterwarnings("default")


def newest(desk, step):
    return desk.runs(step)[0].info.run_id


def test_an_option_that_cannot_have_an_effect_is_refused(study):
    desk, _ = study
    noise = desk.oldest("generate_noise")[0].info.run_id
    done = desk.type("train_noisy", "--noise_run", noise, "--gross_share", "0.1")
    assert done.returncode == 1
    assert "gross_share=0.1 has no effect: noise_run=" in done.stderr


def test_a_named_run_brings_its_data_and_leaves_the_options_of_what_is_still_to_make(study):
    desk, _ = study
    noise = desk.oldest("generate_noise")[0].info.run_id
    done = desk.type(
        "train_noisy", "--noise_run", noise, "--model", "resnet20", "--epochs", "1", "--training_seed", "7"
    )
    assert done.returncode == 0, done.stderr[-2000:]
    run = newest(desk, "train_noisy")
    config = json.loads(desk.artifact(run, "config.json").read_text())
    assert (config["subset"], config["model"], config["training_seed"]) == (400, "resnet20", 7)
    assert desk.client.get_run(run).data.params["subset"] == "400"
    assert json.loads(desk.artifact(run, "upstream.json").read_text())["generate_noise"] == [noise]


def test_runs_of_different_upstreams_are_not_mixed(study):
    desk, _ = study
    small = ["--subset", "300", "--model", "resnet20", "--epochs", "1", "--baseline_epochs", "1"]
    assert desk.type("train_noisy", *small).returncode == 0
    clean, noisy = desk.oldest("train_clean")[0].info.run_id, newest(desk, "train_noisy")
    done = desk.type("extract_features", "--clean_run", clean, "--noisy_run", noisy)
    assert done.returncode == 1
    assert "comes from another generate_noise run than the rest" in done.stderr


def test_what_all_seeds_share_is_made_once_also_when_a_late_step_is_the_first_command(desk):
    small = ["--subset", "300", "--model", "convnet", "--epochs", "1", "--baseline_epochs", "1", "--folds", "2"]
    done = desk.type("hypotheses", *small, "--seeds", "2", "--draws", "100", "--jobs", "2")
    assert done.returncode == 0, done.stderr[-2000:]
    made = [run.data.tags["anomaly.step"] for run in desk.runs()]
    assert {step: made.count(step) for step in set(made)} == {
        "train_baseline": 1,
        "generate_noise": 1,
        "train_clean": 1,
        "train_noisy": 2,
        "extract_features": 2,
        "hypotheses": 1,
    }
    assert "H1" in done.stdout


def test_a_data_source_that_changed_since_the_noise_was_made_is_noticed(desk, tmp_path):
    from test_bad_input import folder

    spec = folder(tmp_path / "set", corrupt=False)
    small = ["--dataset", spec, "--baseline_epochs", "1", "--baseline_folds", "2", "--jobs", "1"]
    shares = ["--near_miss_share", "0.1", "--gross_share", "0.1", "--ood_share", "0.1"]
    assert desk.type("generate_noise", *small, *shares).returncode == 0
    (tmp_path / "set" / "a" / "3.png").rename(tmp_path / "set" / "a" / "99.png")
    done = desk.type(
        "train_noisy", "--noise_run", newest(desk, "generate_noise"), "--model", "convnet", "--epochs", "1"
    )
    assert done.returncode == 1
    assert "has changed since run" in done.stderr
