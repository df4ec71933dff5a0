"""Human labels, conventions and matched difficulty, from the command line to the report."""

import json

import numpy as np
import pandas as pd
import pytest
from desk import SMALL, Desk

from anomaly_mlflow.anomalies.conventions import CONVENTIONS
from anomaly_mlflow.anomalies.difficulty import out_of_fold_margin
from anomaly_mlflow.data.sources import load
from anomaly_mlflow.errors import BadData, BadOption
from entry_points.cli import run
from entry_points.noise_checks import check_noise, shares
from entry_points.options import OPTIONS
from entry_points.provenance import step_fingerprint
from entry_points.step import STEPS

pytestmark = pytest.mark.filterwarnings("default")
QUICK = [*SMALL, "--epochs", "2", "--seeds", "1", "--draws", "100", "--jobs", "1"]


def people(folder, seed=0):
    """A table of what three people said of the digits, wrong in one of ten to one of five cases."""
    samples, rng = load("digits"), np.random.default_rng(seed)
    table = {"index": samples.sample_id, "true": samples.labels}
    for name, rate in {"a": 0.1, "b": 0.2, "c": 0.2}.items():
        table[name] = (samples.labels + (rng.random(len(samples)) < rate)) % 10
    pd.DataFrame(table).to_parquet(folder / "people.parquet")
    return f"parquet:{folder / 'people.parquet'}"


def options(**changes):
    defaults = {name: option.type.convert(option.default, option, None) for name, option in OPTIONS.items()}
    return defaults | changes


@pytest.fixture(scope="module")
def human(tmp_path_factory):
    """A whole study in which people gave the labels."""
    desk = Desk(tmp_path_factory.mktemp("human"))
    table = people(desk.folder)
    words = ["--labels", f"{table}#a", "--hard_by", "raters", "--raters", f"{table}#a,b,c"]
    words += ["--near_table", "human", "--gross_table", "human", "--confusion", f"{table}#true,b"]
    done = desk.type("main", *QUICK, *words)
    assert done.returncode == 0, done.stderr[-3000:]
    return desk


@pytest.fixture
def generate(human, monkeypatch, capfd):
    """Type generate_noise in this process, at the desk whose baseline is there already; the errors come back."""
    for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID"):
        monkeypatch.setenv(name, "")  # so that what the command sets is taken back after the test
        monkeypatch.delenv(name)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{human.folder}/mlflow.db")
    monkeypatch.chdir(human.folder)

    def call(*words):
        run(["generate_noise", *SMALL[:2], *SMALL[6:8], *words])
        return [line for line in capfd.readouterr().err.splitlines() if line.startswith("error: ")]

    return call


def noise(desk, name, read):
    return read(desk.artifact(desk.runs("generate_noise")[0].info.run_id, name))


def test_human_errors_reach_ledger_rates_tables_and_report(human):
    ledger = noise(human, "ledger.parquet", pd.read_parquet)
    errors = ledger[ledger["anomaly_type"] == "human_error"]
    assert set(errors["source"]) == {"a"} and 20 < len(errors) < 60
    assert set(ledger["source"][ledger["anomaly_type"] == "hard"]) == {"selected by raters"}
    rates = noise(human, "rates.json", lambda path: json.loads(path.read_text()))
    assert rates["count.human_error"] == len(errors)
    tables = noise(human, "class_tables.json", lambda path: json.loads(path.read_text()))
    assert tables["near"] == {"source": "human", "pairs": {str(c): [str((c + 1) % 10)] for c in range(10)}}
    assert tables["confusion"]["3"].keys() == {"3", "4"}
    main = human.runs("main")[0].info.run_id
    assert pd.read_csv(human.artifact(main, "auroc_by_type.csv"), index_col=0).columns[-1] == "human_error"
    assert "people gave the image a wrong label" in human.artifact(main, "report.html").read_text()
    explain = human.runs("explain")[0].info.run_id
    assert pd.read_parquet(human.artifact(explain, "type_probabilities.parquet")).columns[-1] == "human_error"


def test_hard_rows_are_those_that_people_dispute(human):
    ledger = noise(human, "ledger.parquet", pd.read_parquet)
    said = pd.read_parquet(human.folder / "people.parquet").set_index("index").loc[ledger["sample_id"]]
    hard = (ledger["anomaly_type"] == "hard").to_numpy()
    right = said[["a", "b", "c"]].eq(said["true"], axis=0).to_numpy()[hard].sum(axis=1)
    assert hard.sum() == 20 and set(right) == {2}


def test_a_convention_replaces_the_label_shares_and_tells_its_real_rate(human, generate):
    words = ["--convention", "dividemix_symmetric", "--convention_rate", "0.3"]
    assert generate(*words) == []
    rates = noise(human, "rates.json", lambda path: json.loads(path.read_text()))
    assert (rates["convention"], rates["convention.rate_asked"]) == ("dividemix_symmetric", 0.3)
    assert rates["convention.replaces"] == "near_miss, gross, random_flip"
    assert rates["convention.rate_real"] == pytest.approx(0.27, abs=0.03) == rates["label_noise"]
    assert rates["count.near_miss"] == rates["count.gross"] == 0 and rates["share.ood"] == 0.05
    assert "count.human_error" not in rates


@pytest.mark.parametrize("name", ["pmd_2_true", "part_dependent"])
def test_noise_that_depends_on_the_image_is_made_from_the_baseline_that_is_there(human, generate, name):
    assert generate("--convention", name, "--convention_rate", "0.3", "--hard_share", "0") == []
    rates = noise(human, "rates.json", lambda path: json.loads(path.read_text()))
    assert rates["convention"] == name and rates["convention.rate_real"] == pytest.approx(0.3, abs=0.05)
    ledger = noise(human, "ledger.parquet", pd.read_parquet)
    upstream = noise(human, "upstream.json", lambda path: json.loads(path.read_text()))
    baseline = pd.read_parquet(human.artifact(upstream["train_baseline"][0], "baseline/out_of_fold.parquet"))
    ranks = np.argsort(-np.stack(baseline["logits"]), axis=1)
    made = (ledger["source"] == f"convention {name} at rate 0.3").to_numpy()
    first_two = (ranks[:, :2] == ledger["given_label"].to_numpy()[:, None]).any(axis=1)
    assert first_two[made].all() == name.startswith("pmd")


def test_a_long_tail_reaches_samples_and_ledger(human, generate):
    assert generate("--imbalance", "3") == []
    ledger = noise(human, "ledger.parquet", pd.read_parquet)
    labels = noise(human, "samples/labels.parquet", pd.read_parquet)
    assert ledger["sample_id"].tolist() == labels["sample_id"].tolist()
    true = load("digits").labels[ledger["sample_id"]]
    counts = np.bincount(true)
    assert counts[0] / counts[9] == pytest.approx(3, abs=0.5) and counts.sum() == len(ledger)


def test_near_misses_of_matched_difficulty_share_the_pool_of_hard_rows(human, generate):
    words = ["--near_miss_from", "hard_quantile", "--hard_by", "boundary"]
    assert generate(*words) == []
    ledger = noise(human, "ledger.parquet", pd.read_parquet)
    upstream = noise(human, "upstream.json", lambda path: json.loads(path.read_text()))
    baseline = pd.read_parquet(human.artifact(upstream["train_baseline"][0], "baseline/out_of_fold.parquet"))
    distance = np.abs(out_of_fold_margin(np.stack(baseline["logits"]), baseline["true_label"].to_numpy()))
    pool = ledger["anomaly_type"].isin(["hard", "near_miss"]).to_numpy()
    partner = np.isin(baseline["true_label"], [2, 3, 5, 6, 7])
    assert pool.sum() == 40 and partner[pool].all()
    assert distance[pool].max() <= distance[partner & ~pool].min()
    assert set(ledger["source"][ledger["anomaly_type"] == "hard"]) == {"selected by boundary"}


def test_too_little_that_stays_clean_is_refused(generate):
    errors = generate("--convention", "symmetric", "--convention_rate", "0.85")
    assert len(errors) == 1 and "5.0% of the images stay clean" in errors[0]


def test_a_changed_table_of_people_changes_the_fingerprint(tmp_path):
    step = STEPS["generate_noise"]
    for name, column in [("labels", "#a"), ("raters", "#a,b,c"), ("confusion", "#true,a")]:
        spec = people(tmp_path) + column
        before = step_fingerprint(step, options(**{name: spec}), {})
        assert step_fingerprint(step, options(**{name: spec}), {}) == before
        people(tmp_path, seed=1)
        assert step_fingerprint(step, options(**{name: spec}), {}) != before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"near_table": "human"}, "near_table=human needs the option confusion; name two columns"),
        ({"gross_table": "human"}, "gross_table=human needs the option confusion"),
        ({"convention": "human_confusion"}, "convention=human_confusion needs the option confusion"),
        ({"hard_by": "raters"}, "hard_by=raters needs the option raters; name three or more columns"),
        ({"raters": "#a,b,c"}, "raters has no effect without hard_by=raters"),
        ({"confusion": "#a,b"}, "confusion has no effect without near_table=human or"),
        ({"labels": "#a,b"}, "must name one column"),
        ({"labels": ""}, "must name one column"),
        ({"labels": "#a,"}, "must name one column"),
        ({"near_table": "human", "confusion": "#a"}, "must name two columns"),
        ({"hard_by": "raters", "raters": "#a,b"}, "must name three or more columns"),
        ({"hard_by": "raters", "near_miss_from": "hard_quantile"}, "not with raters"),
        ({"near_miss_from": "hard_quantile", "near_miss_share": 0.0}, "has no effect without near misses"),
        ({"near_miss_from": "hard_quantile", "convention": "symmetric"}, "has no effect without near misses"),
    ],
    ids=str,
)
def test_options_that_need_or_exclude_each_other_are_refused(changes, message, tmp_path):
    table = people(tmp_path)
    changes = {
        name: table + value if name in ("labels", "raters", "confusion") else value for name, value in changes.items()
    }
    with pytest.raises(BadOption, match=message):
        check_noise(options(**changes))


def test_a_missing_table_of_people_is_told_before_anything_is_trained():
    with pytest.raises(BadData, match="nowhere"):
        check_noise(options(labels="parquet:/nowhere/people.parquet#a"))


@pytest.mark.parametrize("name", CONVENTIONS)
def test_a_convention_sets_the_shares_of_label_errors_to_zero(name):
    assert {kind: share for kind, share in shares(options(convention=name)).items() if share} == {
        "ood": 0.05,
        "hard": 0.05,
    }
