"""Exactly so many trials, whoever dies on the way, and none of them sees an untouched row."""

import os
import pickle
import subprocess
import sys

import numpy as np
import optuna
import pytest
from killed_worker import Killed
from optuna.trial import TrialState
from planted_tasks import planted

from anomaly_mlflow.detection import sweep as module
from anomaly_mlflow.detection import trial as trial_module
from anomaly_mlflow.detection.champion import with_best_threshold
from anomaly_mlflow.detection.objective import objective, put_aside
from anomaly_mlflow.detection.search_space import candidate, default_parameters, families_of
from anomaly_mlflow.detection.sweep import sweep
from anomaly_mlflow.detection.trials import NUMBER, finished, mend_journal, open_storage
from anomaly_mlflow.errors import BadData, ServerUnavailable

QUICK = ("best_signal", "logistic_regression")


@pytest.fixture
def quick(monkeypatch):
    """Detectors that are fitted in no time."""
    from anomaly_mlflow.detection import search_space

    monkeypatch.setattr(search_space, "DETECTORS", {name: search_space.DETECTORS[name] for name in QUICK})


@pytest.fixture
def development():
    return put_aside(planted(n=160), 0)[0]


def carried_out(development, folder, trials=12, workers=1, name="s"):
    seen = []
    study = sweep(
        development,
        place=str(folder / "journal"),
        name=name,
        trials=trials,
        workers=workers,
        on_trial=lambda number, trial: seen.append((number, trial.state, trial.value, dict(trial.params))),
    )
    return study, seen


def test_the_untouched_quarter_shares_no_group_with_what_the_sweep_is_given():
    groups = np.random.default_rng(0).integers(0, 80, 400)
    data = planted(n=400, groups=groups)
    kept, untouched = put_aside(data, 0)
    assert not set(kept.data.groups) & set(untouched.groups)
    assert not set(kept.data.sample_id) & set(untouched.sample_id)
    assert len(kept.data.positive) + len(untouched.positive) == 400
    assert len(untouched.positive) == pytest.approx(100, abs=15)
    assert untouched.positive.mean() == pytest.approx(0.25, abs=0.05)


def test_whatever_stands_in_the_untouched_rows_no_trial_is_worth_more_or_less(quick, tmp_path):
    plain, poisoned = planted(n=160), planted(n=160)
    _, untouched = put_aside(plain, 0)
    rows = np.isin(poisoned.sample_id, untouched.sample_id)
    poisoned.X[:, rows] = np.nan
    poisoned.sample_id[rows] = -1
    kept = put_aside(poisoned, 0)[0]
    sent = pickle.dumps(kept)  # all that a worker is given
    assert np.float64(np.nan).tobytes() not in sent and np.int64(-1).tobytes() not in sent
    found = []
    for name, side in (("a", put_aside(plain, 0)[0]), ("b", kept)):
        (tmp_path / name).mkdir()
        found.append(carried_out(side, tmp_path / name)[1])
    assert found[0] == found[1]


def test_it_begins_with_the_default_detector_and_finds_one_that_is_no_worse(quick, development, tmp_path):
    study, seen = carried_out(development, tmp_path)
    assert seen[0][3] == default_parameters(families_of(development.data.columns))
    assert [number for number, *_ in seen] == list(range(12))
    assert study.best_value >= seen[0][2]
    assert candidate(study.best_params).families
    assert len({tuple(sorted(params.items())) for *_, params in seen}) == 12  # each drew its own


def test_with_one_worker_the_seed_alone_decides_also_across_a_death(quick, development, tmp_path, monkeypatch):
    (tmp_path / "whole").mkdir()
    _, whole = carried_out(development, tmp_path / "whole")
    plain = trial_module.objective

    def dies(trial, own):
        if trial.number == 7:
            plain(trial, own)
            raise KeyboardInterrupt  # as if the process were gone: nobody tells how the trial ended
        return plain(trial, own)

    monkeypatch.setattr(trial_module, "objective", dies)
    with pytest.raises(KeyboardInterrupt):
        carried_out(development, tmp_path)
    monkeypatch.setattr(trial_module, "objective", plain)
    study, seen = carried_out(development, tmp_path)
    assert seen == whole
    states = [trial.state for trial in study.trials]
    assert states.count(TrialState.FAIL) == 1 and len(states) == 13


def test_a_trial_that_falls_behind_is_pruned_and_one_without_signals_is_worth_nothing(quick, tmp_path):
    kept = put_aside(planted(n=160), 0)[0]
    _, seen = carried_out(kept, tmp_path, trials=30)
    assert {state for _, state, *_ in seen} == {TrialState.COMPLETE, TrialState.PRUNED}
    bare = [
        value
        for *_, value, params in seen
        if not any(params.get(f"family.{f}") for f in families_of(kept.data.columns))
    ]
    assert set(bare) <= {0.0}


def test_two_workers_make_exactly_so_many_trials_and_more_are_added_to_what_is_there(development, tmp_path):
    study, seen = carried_out(development, tmp_path, trials=5, workers=2)
    assert sorted(number for number, *_ in seen) == list(range(5)) and len(study.trials) == 5
    study, seen = carried_out(development, tmp_path, trials=7, workers=2)
    assert sorted(number for number, *_ in seen) == list(range(7)) and len(study.trials) == 7


def test_a_worker_that_is_killed_costs_no_trial(development, tmp_path, monkeypatch):
    """The first worker to come by takes the file away and is killed in mid-trial."""
    bomb = tmp_path / "bomb"
    bomb.touch()
    monkeypatch.setattr(module, "carry_out", Killed(bomb))
    study, seen = carried_out(development, tmp_path, trials=4, workers=2)
    assert not bomb.exists()
    assert sorted(number for number, *_ in seen) == list(range(4))
    assert sorted(finished(study)) == list(range(4))
    assert TrialState.RUNNING not in {trial.state for trial in study.trials}


def test_workers_that_die_every_time_end_the_sweep_in_one_line(development, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "carry_out", Killed(tmp_path))
    with pytest.raises(BadData, match="workers of the sweep die again and again; is memory short"):
        carried_out(development, tmp_path, trials=2, workers=2)


def test_a_journal_that_a_dead_process_left_locked_and_torn_is_mended(quick, development, tmp_path):
    carried_out(development, tmp_path, trials=3)
    journal = tmp_path / "journal"
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"op_code": 4, "wor')
    os.symlink(journal, f"{journal}.lock")
    mend_journal(str(journal))
    assert journal.read_bytes() == whole and not os.path.lexists(f"{journal}.lock")
    journal.write_bytes(whole + b'{"op_code": 4, "wor')
    study, _ = carried_out(development, tmp_path, trials=4)
    assert len(finished(study)) == 4


def test_a_number_that_came_twice_counts_once(tmp_path):
    study = optuna.create_study(storage=open_storage(str(tmp_path / "journal")))
    for value in (1.0, 2.0):
        trial = study.ask()
        trial.set_user_attr(NUMBER, 0)
        study.tell(trial, value)
    assert [trial.value for trial in finished(study).values()] == [1.0]


@pytest.mark.parametrize("place", ["nosuchdatabase://x", "postgresql+nodriver://x/y", "sqlite:////no/such/folder/x.db"])
def test_a_database_that_cannot_be_opened_is_told_in_one_line(place):
    with pytest.raises(ServerUnavailable, match="the storage of trials cannot be opened: ") as told:
        open_storage(place)
    assert "\n" not in str(told.value)


def test_a_worker_imports_no_torch():
    said = "import anomaly_mlflow.detection.trial, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", said]).returncode == 0


def test_too_few_groups_to_put_a_quarter_aside_are_refused():
    data = planted(n=60)
    with pytest.raises(BadData, match="3 source groups, too few to put a quarter aside"):
        put_aside(planted(n=60, groups=np.where(data.positive, data.groups % 3, data.groups)), 0)


def test_the_default_detector_gets_the_threshold_of_the_best_f1_on_rows_held_out(development):
    default = candidate(default_parameters(families_of(development.data.columns)))
    tuned = with_best_threshold(default, development)
    assert (tuned.detector, tuned.parameters, tuned.families) == (
        default.detector,
        default.parameters,
        default.families,
    )
    values = {}
    for threshold in (0.5, tuned.threshold):
        chosen = default_parameters(families_of(development.data.columns)) | {"threshold": threshold}
        values[threshold] = objective(optuna.trial.FixedTrial(chosen), development)
    assert values[tuned.threshold] >= values[0.5] - 0.02 and tuned.threshold != 0.5
