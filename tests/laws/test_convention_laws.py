"""Laws of every convention of other papers, over the registry."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import truncnorm

from anomaly_mlflow.anomalies.confusion import confusion_rates
from anomaly_mlflow.anomalies.conventions import CONVENTIONS
from anomaly_mlflow.anomalies.inject import inject
from anomaly_mlflow.anomalies.plan import LABEL_TYPES, Plan
from anomaly_mlflow.anomalies.rates import convention_rates, rates
from anomaly_mlflow.anomalies.similarity import class_tables
from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.data.names import CIFAR10, CIFAR100
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadData, BadOption, UnknownName

N = 4000
# The real rate as a function of the rate asked, in data sets of classes of one size.
REAL = {
    "symmetric": lambda rate, classes: rate,
    "dividemix_symmetric": lambda rate, classes: rate * (classes - 1) / classes,
    "dividemix_asymmetric": lambda rate, classes: rate / 2,
    "superclass_circular": lambda rate, classes: rate,
    "glitch_one_class": lambda rate, classes: rate / classes,
    "glitch_each_class": lambda rate, classes: rate,
    "human_confusion": lambda rate, classes: rate,
    "asymmetric": lambda rate, classes: rate / 2,
    "part_dependent": lambda rate, classes: truncnorm.mean(-rate / 0.1, (1 - rate) / 0.1, loc=rate, scale=0.1),
    **{f"pmd_{kind}{base}": lambda rate, classes: rate for kind in (1, 2, 3) for base in ("", "_true")},
}
every_convention = pytest.mark.parametrize("name", CONVENTIONS)


def host(name):
    classes = CIFAR100 if name == "superclass_circular" else CIFAR10
    labels = np.random.default_rng(1).permutation(np.arange(N) % len(classes))
    return Samples(np.zeros((N, 8, 8, 1), np.uint8), labels, np.arange(N) + 5, classes)


def tables(classes):
    rng = np.random.default_rng(0)
    true = np.repeat(np.arange(len(classes)), 200)
    given = np.where(rng.random(len(true)) < 0.3 + 0.1 * (true % 2), rng.integers(0, len(classes), len(true)), true)
    return class_tables(classes, None, confusion=confusion_rates(true, given, len(classes)))


def eta(samples):
    """A model that is always right, at a margin that varies."""
    odds = np.random.default_rng(2).random((N, samples.num_classes))
    odds[np.arange(N), samples.labels] = 1 + 20 * np.random.default_rng(3).random(N)
    return odds / odds.sum(axis=1, keepdims=True)


def made(name, rate=0.2, seed=0, hard=None, **options):
    samples = host(name)
    hard = np.zeros(N, bool) if hard is None else hard
    options = {"convention": name, "convention_rate": rate, "eta": eta(samples), "seed": seed} | options
    return inject(samples, Plan({}, tables(samples.classes), hard, **options))


def changed(ledger):
    return np.flatnonzero(ledger["anomaly_type"] != "clean")


def test_every_convention_has_its_formula_here():
    assert set(REAL) == set(CONVENTIONS)


@every_convention
def test_the_real_rate_is_that_of_the_formula_and_is_told_beside_the_rate_asked(name):
    samples, ledger = made(name, 0.2)
    expected = REAL[name](0.2, samples.num_classes)
    found = convention_rates(ledger, name, 0.2)
    assert found["convention.rate_real"] == pytest.approx(expected, abs=0.01) == rates(ledger)["label_noise"]
    assert (found["convention"], found["convention.rate_asked"]) == (name, 0.2)


@every_convention
def test_changed_rows_bear_the_declared_type_and_a_wrong_label_and_all_others_stay_clean(name):
    samples, ledger = made(name)
    rows = ledger.loc[changed(ledger)]
    assert set(rows["anomaly_type"]) == {CONVENTIONS[name].kind} and CONVENTIONS[name].kind in LABEL_TYPES
    assert (rows["given_label"] != rows["true_label"]).all()
    assert set(rows["source"]) == {f"convention {name} at rate 0.2"}
    clean = ledger.drop(index=changed(ledger))
    assert (clean["given_label"] == clean["true_label"]).all() and (clean["source"] == "").all()
    assert np.array_equal(samples.labels, ledger["given_label"])
    assert np.array_equal(ledger["true_label"], host(name).labels)


@every_convention
def test_the_seed_alone_decides(name):
    first, again, other = (made(name, seed=seed)[1] for seed in (3, 3, 4))
    assert first.equals(again) and not first["given_label"].equals(other["given_label"])


@every_convention
def test_a_larger_rate_keeps_the_rows_and_targets_of_a_smaller_one(name):
    small, large = made(name, 0.1)[1], made(name, 0.3)[1]
    rows = changed(small)
    assert set(rows) < set(changed(large))
    assert small["given_label"][rows].equals(large["given_label"][rows])


@every_convention
def test_hard_rows_and_human_errors_are_left_alone_and_strangers_take_none_of_its_rows(name):
    hard = np.arange(N) % 20 == 0
    given = np.where(np.arange(N) % 20 == 1, (host(name).labels + 1) % 10, host(name).labels)
    options = {"given": given, "given_source": "worst", "strangers_spec": "noise", "eta": eta(host(name))}
    plan = Plan(
        {AnomalyType.OOD: 0.1}, tables(host(name).classes), hard, convention=name, convention_rate=0.2, **options
    )
    _, ledger = inject(host(name), plan)
    assert (ledger["anomaly_type"][hard] == "hard").all()
    assert (ledger["anomaly_type"] == "human_error").sum() == N // 20
    assert (ledger["anomaly_type"] == "ood").sum() == N // 10
    real = convention_rates(ledger, name, 0.2)["convention.rate_real"]
    assert real == pytest.approx(REAL[name](0.2, len(host(name).classes)), abs=0.015)


@every_convention
def test_no_convention_goes_with_a_share_of_label_errors(name):
    plan = Plan({AnomalyType.GROSS: 0.1}, tables(CIFAR10), np.zeros(N, bool), convention=name, convention_rate=0.1)
    with pytest.raises(BadOption, match=f"convention {name} replaces the shares of near_miss, gross, random_flip"):
        inject(host("symmetric"), plan)


@every_convention
def test_a_convention_says_what_it_does_and_who_does_so(name):
    convention = CONVENTIONS[name]
    assert convention.apply.__doc__ and convention.source and convention.name == name


def test_targets_are_those_that_the_papers_name():
    pairs = {
        name: made(name, rate)[1]
        .loc[lambda f: f["anomaly_type"] != "clean", ["true_label", "given_label"]]
        .drop_duplicates()
        for name, rate in [(name, 0.3) for name in CONVENTIONS]
    }
    asymmetric = set(map(tuple, pairs["dividemix_asymmetric"].to_numpy().tolist()))
    assert asymmetric == {(9, 1), (2, 0), (4, 7), (3, 5), (5, 3)}
    assert set(map(tuple, pairs["asymmetric"].to_numpy().tolist())) == asymmetric
    circular = {CIFAR100[t]: CIFAR100[g] for t, g in pairs["superclass_circular"].to_numpy()}
    assert (circular["beaver"], circular["whale"], circular["wolf"]) == ("dolphin", "beaver", "bear")
    assert len(pairs["glitch_one_class"]) == 1 and pairs["glitch_each_class"]["true_label"].tolist() != []
    assert pairs["glitch_each_class"].groupby("true_label").size().tolist() == [1] * 10
    assert len(pairs["symmetric"]) == len(pairs["dividemix_symmetric"]) == 90


def test_human_confusion_keeps_the_proportions_of_people():
    rates = np.zeros((10, 10))
    for label in range(10):
        rates[label, (label + 1) % 10], rates[label, (label + 2) % 10] = (0.3, 0.1) if label % 2 else (0.15, 0.05)
    rates += np.diag(1 - rates.sum(axis=1))
    people = class_tables(CIFAR10, None, confusion=rates)
    plan = Plan({}, people, np.zeros(N, bool), convention="human_confusion", convention_rate=0.15)
    _, ledger = inject(host("human_confusion"), plan)
    found = confusion_rates(ledger["true_label"].to_numpy(), ledger["given_label"].to_numpy(), 10)
    assert np.allclose(1 - np.diag(found), (1 - np.diag(rates)) / 2, atol=0.005)
    assert ((found > 0) == (rates > 0)).all()
    first = np.array([found[label, (label + 1) % 10] for label in range(10)]).sum() / (1 - np.diag(found)).sum()
    assert first == pytest.approx(0.75, abs=0.05)


def test_what_a_convention_cannot_do_is_refused():
    with pytest.raises(UnknownName, match="unknown convention 'odd'; known: asymmetric, dividemix_asymmetric"):
        inject(host("symmetric"), Plan({}, tables(CIFAR10), np.zeros(N, bool), convention="odd", convention_rate=0.1))
    with pytest.raises(BadOption, match="needs the 100 classes of CIFAR-100"):
        CONVENTIONS["superclass_circular"].apply(_bare(), 0.1, np.ones(N, bool))
    with pytest.raises(BadOption, match="pmd_1 needs the baseline's out-of-fold probabilities"):
        CONVENTIONS["pmd_1"].apply(_bare(), 0.1, np.ones(N, bool))
    with pytest.raises(BadOption, match=r"part_dependent needs 60\.0% of all rows, 50\.0% are free"):
        made("part_dependent", 0.6, hard=np.arange(N) % 2 == 0)
    with pytest.raises(BadData, match=r"eta must hold 4000 rows and 10 classes, not \(4000, 3\)"):
        made("pmd_1", eta=np.ones((N, 3)))
    with pytest.raises(BadOption, match="needs confusion=parquet"):
        CONVENTIONS["human_confusion"].apply(_bare(), 0.1, np.ones(N, bool))
    with pytest.raises(BadOption, match=r"lower it to 0\.[0-9]+$") as refused:
        made("human_confusion", 0.95)
    made("human_confusion", float(str(refused.value).rpartition(" ")[2]))
    with pytest.raises(BadOption, match="symmetric needs 3800 rows and 2000 are free; lower convention_rate"):
        made("symmetric", 0.95, hard=np.arange(N) % 2 == 0)


def _bare():
    from anomaly_mlflow.anomalies.injector import Host

    return Host(host("symmetric"), replace(tables(CIFAR10), confusion=None), "noise", "random", 0)
