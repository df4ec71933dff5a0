"""Each mistake ends in one line, a non-zero exit and a failed run; nothing is left running."""

import io
import os

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from entry_points.cli import run

# MLflow's own stack warns of its own future; that is not ours to fail on.
pytestmark = pytest.mark.filterwarnings("default")

BASELINE = ["--baseline_model", "convnet", "--baseline_epochs", "1", "--jobs", "1"]


@pytest.fixture
def attempt(desk, monkeypatch, capfd):
    """Type a command in this process; give back exit code and the error lines."""
    for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
        monkeypatch.setenv(name, "")  # so that what the command sets is taken back after the test
        monkeypatch.delenv(name)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{desk.folder}/mlflow.db")
    monkeypatch.chdir(desk.folder)

    def call(*words):
        code = run([str(word) for word in words])
        lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("error: ")]
        return code, lines

    return call


def table(path, labels, images=None, seed=0):
    rng = np.random.default_rng(seed)
    cells = []
    for _ in labels:
        file = io.BytesIO()
        Image.fromarray(rng.integers(0, 256, (8, 8), dtype=np.uint8)).save(file, "PNG")
        cells.append(file.getvalue())
    pd.DataFrame({"image": images or cells, "label": labels}).to_parquet(path)
    return f"parquet:{path}"


def folder(path, corrupt):
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        (path / name).mkdir(parents=True)
        for number in range(15):
            Image.fromarray(rng.integers(0, 256, (8, 8), dtype=np.uint8)).save(path / name / f"{number}.png")
    if corrupt:
        (path / "a" / "3.png").write_bytes(b"not a picture")
    return f"imagefolder:{path}"


MISTAKES = {
    "unknown source": (["train_baseline", "--dataset", "imagenet"], r"unknown source 'imagenet'; known: .*digits"),
    "unknown model": (
        ["train_noisy", "--model", "resnt20"],
        r"unknown model 'resnt20'; close: resnet20.*known: .*timm:NAME, vit",
    ),
    "unknown timm model": (["train_noisy", "--model", "timm:resnt26"], r"close: .*timm:resnet26"),
    "pretrained weights of an own model": (["train_noisy", "--pretrained", "yes"], r"'vit' has no pretrained weights"),
    "unknown signal": (["extract_features", "--signals", "entropy,foo"], r"unknown signal 'foo'; known: .*entropy"),
    "missing file": (["train_baseline", "--dataset", "parquet:/nowhere/x.parquet"], r"/nowhere/x\.parquet"),
    "shares above one": (["generate_noise", "--gross_share", "0.6", "--ood_share", "0.6"], r"sum to 1\.35"),
    "a share that is no number": (["generate_noise", "--convention_rate", "nan"], r"nan is no number"),
    "unknown frozen encoder": (["extract_features", "--geometry_encoder", "timm:nope"], r"unknown model 'timm:nope'"),
    "missing frozen weights": (
        ["extract_features", "--geometry_encoder", "timm:resnet18@/nowhere/w.safetensors"],
        r"/nowhere/w\.safetensors",
    ),
    "a share of two": (["generate_noise", "--gross_share", "2"], r"gross_share.*2.*0<=x<=1"),
    "no such run": (["extract_features", "--noisy_run", "f" * 32], r"there is no run 'f{32}'"),
    "no such model": (["extract_features", "--noisy_run", "models:/nobody@champion"], r"no registered model"),
    "epochs that are no number": (["train_noisy", "--epochs", "abc"], r"epochs.*'abc' is not a valid integer"),
    "negative epochs": (["train_noisy", "--epochs", "-1"], r"epochs.*-1 is not in the range x>=1"),
    "unknown option": (["train_noisy", "--epoch", "3"], r"[Nn]o such option"),
    "unknown device": (["train_baseline", "--device", "abacus"], r"device 'abacus' cannot be used here"),
    "strangers out of the set itself": (["generate_noise", "--ood", "digits"], r"ood=digits is the data set itself"),
    "strangers out of the set among others": (["judge", "--ood", "noise|digits"], r"ood=digits is the data set itself"),
    "strangers twice from one source": (["judge", "--ood", "noise|noise"], r"names a source twice"),
    "subset too large": (["train_baseline", "--subset", "99999"], r"99999"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_ends_in_one_line_that_names_it(name, attempt, desk):
    import re

    words, expected = MISTAKES[name]
    code, lines = attempt(*words, *(BASELINE if name != "unknown option" else []))
    assert code in (1, 2)
    assert len(lines) == 1, lines
    assert re.search(expected, lines[0]), lines[0]
    assert_failed(desk, words[0], code)


def test_a_label_out_of_range_is_named(attempt, desk, tmp_path):
    code, lines = attempt("train_baseline", "--dataset", table(tmp_path / "t.parquet", [0, 1] * 20 + [-1]), *BASELINE)
    assert code == 1
    assert "label -1" in lines[0] and "out of range" in lines[0]
    assert_failed(desk, "train_baseline")


def test_a_class_with_two_samples_is_named_with_what_is_needed(attempt, desk, tmp_path):
    code, lines = attempt("train_baseline", "--dataset", table(tmp_path / "t.parquet", [0] * 40 + [1] * 2), *BASELINE)
    assert code == 1
    assert "class '1' has" in lines[0] and "needed" in lines[0]
    assert_failed(desk, "train_baseline")


def test_a_corrupt_image_is_refused_by_option_and_named(attempt, desk, tmp_path):
    spec = folder(tmp_path / "set", corrupt=True)
    code, lines = attempt(
        "train_baseline", "--dataset", spec, "--corrupt", "refuse", "--baseline_folds", "2", *BASELINE
    )
    assert code == 1
    assert "3.png" in lines[0] and "1 of" in lines[0]
    assert_failed(desk, "train_baseline")


def test_a_corrupt_image_is_skipped_by_default_named_and_counted(attempt, desk, tmp_path, caplog):
    spec = folder(tmp_path / "set", corrupt=True)
    code, _ = attempt("train_baseline", "--dataset", spec, "--baseline_folds", "2", *BASELINE)
    assert code == 0
    assert "3.png" in caplog.text and "left out" in caplog.text


def test_a_download_without_a_network_says_what_to_do(attempt, desk, monkeypatch):
    from torchvision.datasets import CIFAR10

    def refuse(self):
        raise OSError("Name or service not known")

    monkeypatch.setattr(CIFAR10, "download", refuse)
    monkeypatch.setenv("ANOMALY_DOWNLOADS", str(desk.folder / "downloads"))
    code, lines = attempt("train_baseline", "--dataset", "cifar10", *BASELINE)
    assert code == 1
    assert "parquet:" in lines[0]
    assert_failed(desk, "train_baseline")


def test_a_run_of_another_step_is_refused(attempt, desk):
    assert attempt("train_baseline", *BASELINE, "--subset", "200")[0] == 0
    baseline = desk.runs("train_baseline")[0].info.run_id
    code, lines = attempt("train_noisy", "--noise_run", baseline, "--epochs", "1")
    assert code == 1
    assert f"run {baseline} is a train_baseline run" in lines[0]


def test_a_diverging_training_fails_its_run_and_says_what_to_change(attempt, desk):
    rate = ["--learning_rate", "1e6", "--batch_size", "16", "--epochs", "2"]
    code, lines = attempt("train_noisy", *BASELINE, "--subset", "200", "--model", "convnet", *rate)
    assert code == 1
    assert "lower learning_rate" in lines[0]
    assert desk.runs("train_noisy")[0].info.status == "FAILED"
    assert desk.runs("train_noisy")[0].data.tags["anomaly.error"] == lines[0].removeprefix("error: ")
    assert "RUNNING" not in {run.info.status for run in desk.runs()}


def test_a_server_that_is_not_there_ends_in_one_line(attempt, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    code, lines = attempt("train_baseline", *BASELINE)
    assert code == 1
    assert lines == [lines[0]] and "http://127.0.0.1:9 does not answer" in lines[0]


@pytest.mark.parametrize("rate", ["inf", "nan", "1e309", "0", "-1"])
def test_a_learning_rate_that_is_no_rate_is_refused(attempt, rate):
    code, lines = attempt("train_noisy", "--learning_rate", rate)
    assert code == 2 and len(lines) == 1 and "learning_rate" in lines[0]


def test_control_characters_do_not_reach_the_terminal_and_do_not_split_the_line(attempt):
    code, lines = attempt("train_baseline", "--dataset", "x\nerror: y\x1b[31m")
    assert code == 1 and len(lines) == 1
    assert "\x1b" not in lines[0]


@pytest.mark.parametrize("address", ["http://a:geheim@127.0.0.1:9", "http://a:geheim@host:abc", "htp://a:geheim@x"])
def test_a_password_in_the_tracking_address_is_never_printed(attempt, monkeypatch, address):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    code, lines = attempt("train_baseline", *BASELINE)
    assert code == 1 and len(lines) == 1
    assert "geheim" not in lines[0]
    assert not address.startswith("http:") or "geheim" not in os.environ["MLFLOW_TRACKING_URI"]


def test_artifacts_that_somebody_changed_end_in_one_line_and_run_nothing(attempt, desk):
    # Pillow would start a program for a PostScript file among the replaced images.
    small = ["--model", "convnet", "--epochs", "1"]
    assert attempt("generate_noise", *BASELINE, "--subset", "200")[0] == 0
    noise = desk.runs("generate_noise")[0].info.run_id
    path = desk.artifact(noise, "samples/replaced.parquet")
    whole, replaced = path.read_bytes(), pd.read_parquet(path)
    for cell in (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n", b"", b"no picture"):
        replaced.at[0, "image"] = cell
        replaced.to_parquet(path)
        code, lines = attempt("train_noisy", "--noise_run", noise, *small)
        assert code == 1 and "do not decode" in lines[0]
    path.write_bytes(whole)
    for name in ("config.json", "data.json", "ledger.parquet", "upstream.json"):
        kept = desk.artifact(noise, name).read_bytes()
        desk.artifact(noise, name).write_bytes(b"[" * 100_000)
        code, lines = attempt("train_clean", "--noise_run", noise, *small)
        assert code == 1 and len(lines) == 1, (name, lines)
        assert "unexpected" not in lines[0], (name, lines)
        desk.artifact(noise, name).write_bytes(kept)
    desk.client.delete_run(noise)
    code, lines = attempt("train_noisy", "--noise_run", noise, *small)
    assert code == 1 and "was deleted" in lines[0]


def test_a_full_disk_ends_in_one_line(attempt, monkeypatch):
    from entry_points import sample_files

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sample_files, "load_split", full)
    code, lines = attempt("train_baseline", *BASELINE)
    assert code == 1 and len(lines) == 1
    assert "No space left on device" in lines[0] and "free space" in lines[0]


def test_a_database_that_is_no_file_ends_in_one_line_at_once(attempt, desk):
    (desk.folder / "mlflow.db").mkdir()
    code, lines = attempt("train_baseline", *BASELINE)
    assert code == 1 and len(lines) == 1 and "is no file" in lines[0]


def assert_failed(desk, step, code=1):
    statuses = {run.info.status for run in desk.runs(step)}
    assert statuses == ({"FAILED"} if code == 1 else set())
    assert "RUNNING" not in {run.info.status for run in desk.runs()}
