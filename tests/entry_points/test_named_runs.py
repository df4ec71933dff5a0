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
    done = desk.type("judge", *small, "--seeds", "2", "--draws", "100", "--jobs", "2")
    assert done.returncode == 0, done.stderr[-2000:]
    made = [run.data.tags["anomaly.step"] for run in desk.runs()]
    assert {step: made.count(step) for step in set(made)} == {
        "train_baseline": 1,
        "generate_noise": 1,
        "train_clean": 1,
        "train_folds": 1,
        "train_probes": 1,
        "train_noisy": 2,
        "extract_features": 2,
        "judge": 1,
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


SMALL = [
    "--subset",
    "200",
    "--model",
    "convnet",
    "--epochs",
    "1",
    "--baseline_epochs",
    "1",
    "--folds",
    "2",
    "--jobs",
    "1",
]


def parquet(path, seed):
    from sklearn.datasets import load_digits
    from test_bad_input import table

    return table(path, list(load_digits().target[:200]), seed=seed)


def test_another_test_set_is_another_study(desk, tmp_path):
    first, second = (parquet(tmp_path / f"{name}.parquet", seed) for seed, name in enumerate("ab"))
    for spec in (first, second):
        assert desk.type("train_noisy", *SMALL[:8], "--test", spec).returncode == 0
    versions = desk.client.search_model_versions("name = 'noisy-digits-convnet'")
    assert len({version.tags["anomaly.test_set"] for version in versions}) == 2
    parquet(tmp_path / "b.parquet", seed=7)
    assert desk.type("train_noisy", *SMALL[:8], "--test", second).returncode == 0
    assert len(desk.runs("generate_noise")) == 3


def test_a_step_made_anew_with_the_same_content_spoils_nothing_downstream(desk):
    assert desk.type("judge", *SMALL, "--seeds", "2", "--draws", "100").returncode == 0
    assert desk.type("generate_noise", *SMALL[:2], *SMALL[6:8]).returncode == 0
    done = desk.type("judge", *SMALL, "--seeds", "2", "--draws", "110")
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(desk.runs("train_noisy")) == 2 and len(desk.runs("judge")) == 2
    # Named noisy runs bring the options of their noise along, and their number.
    noisy = ",".join(run.info.run_id for run in desk.runs("train_noisy"))
    clean = newest(desk, "train_clean")
    done = desk.type("judge", "--noisy_run", noisy, "--clean_run", clean, "--draws", "100")
    assert done.returncode == 0, done.stderr[-2000:]
    params = desk.runs("judge")[0].data.params
    assert (params["subset"], params["baseline_epochs"], params["seeds"]) == ("200", "1", "2")
    done = desk.type("judge", "--noisy_run", noisy, "--clean_run", clean, "--subset", "300")
    assert done.returncode == 1 and "subset=300 has no effect" in done.stderr
    done = desk.type("judge", "--noisy_run", noisy, "--clean_run", clean, "--seeds", "7")
    assert done.returncode == 1 and "seeds=7 has no effect" in done.stderr
