"""Theory beside measurement in planted worlds: what agrees by construction, and what must not."""

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import normalize

from anomaly_mlflow.anomalies.types import AnomalyType as T
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.report.figures.theory import correlation_bars, mean_trajectories, pair_scatter, rate_curve
from anomaly_mlflow.report.page import Section, render_page
from anomaly_mlflow.signals import CrossFit, Evidence, find
from anomaly_mlflow.studies.theory.pair_agreement import injected_pairs, pair_agreement
from anomaly_mlflow.studies.theory.pairs import class_distances, pair_table
from anomaly_mlflow.studies.theory.rates import RateCell, rate_row
from anomaly_mlflow.studies.theory.trajectories import Recorded, predict_trajectories, type_table
from anomaly_mlflow.studies.theory.words import flow_words, pair_words, rate_words

CLASSES = ("a", "b", "c", "d")
PARTNER = np.array([1, 0, 3, 2])  # a and b are alike, c and d are alike


def world(n=1200, seed=0):
    """Embeddings of four classes in two near pairs; a tenth near misses, a tenth gross errors."""
    rng = np.random.default_rng(seed)
    true = rng.integers(0, 4, n)
    centres = np.array([[3, 0.7, 0], [3, -0.7, 0], [-3, 0, 0.5], [-3, 0, -0.5]])
    embeddings = np.concatenate([centres[true], np.zeros((n, 5))], axis=1) + 0.8 * rng.normal(size=(n, 8))
    kind = rng.choice([T.CLEAN, T.NEAR_MISS, T.GROSS], n, p=[0.8, 0.1, 0.1]).astype(object)
    given = np.where(kind == T.NEAR_MISS, PARTNER[true], np.where(kind == T.GROSS, (true + 2) % 4, true))
    ledger = {"sample_id": np.arange(n), "anomaly_type": kind, "true_label": true, "given_label": given}
    return embeddings, pd.DataFrame(ledger).assign(anomaly_type=lambda frame: frame["anomaly_type"].map(str))


def sides(embeddings, ledger, folds=3):
    """The clean side as folds of one encoder."""
    fold, clean = np.arange(len(ledger)) % folds, (ledger["anomaly_type"] == "clean").to_numpy()
    given, groups = ledger["given_label"].to_numpy(), np.arange(len(ledger))
    return [
        CrossFit(
            rows=np.flatnonzero(fold == k),
            embeddings=embeddings[fold == k],
            judged_groups=groups[fold == k],
            reference_embeddings=embeddings[clean & (fold != k)],
            reference_labels=given[clean & (fold != k)],
            reference_groups=groups[clean & (fold != k)],
        )
        for k in range(folds)
    ]


@pytest.fixture(scope="module")
def planted():
    embeddings, ledger = world()
    return embeddings, ledger, sides(embeddings, ledger)


def test_class_distances_are_the_signal_up_to_the_scale_of_a_fold(planted):
    _, ledger, folds = planted
    given = ledger["given_label"].to_numpy()
    signal = find("prototype_distance")(Evidence(np.arange(len(given)), given, 4, references=folds))
    found = class_distances(folds, 4)
    for k in range(3):
        mine = found.fold == k
        ratio = signal[mine] / found.distance[mine, given[mine]]
        np.testing.assert_allclose(ratio, ratio[0], rtol=1e-9)


def test_class_moments_predict_which_pairs_prototype_distance_tells_apart(planted):
    _, ledger, folds = planted
    given, clean = ledger["given_label"].to_numpy(), (ledger["anomaly_type"] == "clean").to_numpy()
    groups = np.arange(len(ledger))
    table = pair_table(folds, given, clean, groups, CLASSES)
    assert len(table) == 12
    near = [
        PARTNER[CLASSES.index(a)] == CLASSES.index(b)
        for a, b in zip(table["true_class"], table["given_class"], strict=True)
    ]
    assert table["measured"][near].max() < 0.97 < table["measured"][~np.array(near)].min()
    for one, other in (("predicted", "measured"), ("predicted_unseen", "measured_unseen")):
        assert (table[one] - table[other]).abs().max() < 0.05
    agreement = pair_agreement(table, class_distances(folds, 4), given, clean, groups, CLASSES, draws=200)
    assert agreement["predicted"].value > 0.8 and agreement["predicted"].low < agreement["predicted"].value
    injected = injected_pairs(table, class_distances(folds, 4), ledger, groups, CLASSES, draws=200)
    assert list(injected["n"]) == [
        int(((ledger["anomaly_type"] == kind) & (ledger["true_label"] == a)).sum())
        for kind in ("near_miss", "gross")
        for a in range(4)
    ]
    assert (
        (injected["low"] <= injected["predicted"] + 0.02) & (injected["predicted"] - 0.02 <= injected["high"])
    ).all()
    page = render_page(
        "T", "t", [Section("T1", pair_words(table, agreement, injected), [(pair_scatter(table, injected), "")])], {}
    )
    assert "over 12 class pairs" in page and "Injected near_miss: 4 pairs" in page


def test_a_prediction_from_shuffled_references_agrees_with_nothing(planted):
    _, ledger, folds = planted
    given, clean = ledger["given_label"].to_numpy(), (ledger["anomaly_type"] == "clean").to_numpy()
    rng = np.random.default_rng(1)
    spoiled = [
        CrossFit(
            f.rows,
            f.embeddings,
            np.array([0]),
            f.reference_embeddings,
            rng.permutation(f.reference_labels),
            np.array([1]),
        )
        for f in folds
    ]
    table = pair_table(spoiled, given, clean, np.arange(len(given)), CLASSES)
    assert (table["predicted"] - 0.5).abs().max() < 0.15 < (table["measured"] - table["predicted"]).abs().max()


def test_without_clean_rows_of_two_classes_there_is_no_pair(planted):
    _, ledger, folds = planted
    given = ledger["given_label"].to_numpy()
    with pytest.raises(BadData, match="no two classes have clean rows"):
        pair_table(folds, given, given == 0, np.arange(len(given)), CLASSES)


def cell(share, *, ambiguity=0.2, n=4000, seed=0):
    """Two classes; a fifth of the images is ambiguous and spared by the noise; the model is the optimum itself."""
    rng = np.random.default_rng(seed)
    hard = np.arange(n) % 5 == 0
    true = rng.integers(0, 2, n)
    near = ~hard & (rng.random(n) < share)
    doubt = np.where(hard, ambiguity, 0.0) + rng.uniform(0, 0.02, n)
    posterior = np.where(np.arange(2)[None] == true[:, None], 1 - doubt[:, None], doubt[:, None])
    rate = near.sum() / (~hard).sum()
    seen = np.where(hard[:, None], posterior, posterior @ np.array([[1 - rate, rate], [rate, 1 - rate]]))
    ledger = pd.DataFrame({"true_label": true, "given_label": np.where(near, 1 - true, true)})
    ledger["anomaly_type"] = np.where(hard, "hard", np.where(near, "near_miss", "clean"))
    entropy = -(seen * np.log(seen)).sum(axis=1)
    return RateCell(
        share,
        ledger,
        np.arange(n),
        posterior,
        np.where(hard[:, None] & (np.arange(n) % 10 == 0)[:, None], np.nan, posterior),
        entropy,
    )


def test_the_optimum_that_spares_hard_images_predicts_a_model_that_is_it():
    rows = pd.DataFrame([rate_row(cell(share), draws=200) for share in (0.1, 0.2, 0.35)])
    assert (rows["predicted_spared"] - rows["measured"]).abs().max() < 0.1
    assert rows["measured"].iloc[0] < 0.05 and rows["measured"].iloc[-1] > 0.95 and 0.2 < rows["measured"].iloc[1] < 0.8
    assert rows["predicted"].max() < 0.05  # noise that spares nobody leaves the ambiguous images above
    assert rows["ambiguity"].iloc[0] == pytest.approx(0.21, abs=0.005)
    page = render_page("T", "t", [Section("T2", rate_words(rows), [(rate_curve(rows), "")])], {})
    assert "Measured (entropy of the trained models): 0.0" in page and "the types coincide at noise rate 0." in page


def test_a_rate_without_near_misses_says_so():
    nobody = cell(0.0)
    with pytest.raises(BadData, match="leaves no near misses or no hard images"):
        rate_row(nobody)


def test_the_flow_learns_label_errors_last_and_ranks_rows_as_a_network_of_its_kind(planted):
    embeddings, ledger, folds = planted
    given, types = ledger["given_label"].to_numpy(), ledger["anomaly_type"].to_numpy()
    brier = np.array([0.7, 0.62, 0.57, 0.545])
    predicted = predict_trajectories(folds, given, 4, brier)
    np.testing.assert_allclose(predicted.loss.mean(axis=1), brier, rtol=1e-6)
    # What is recorded: plain gradient descent on other folds' rows too, in a turned embedding, with noise of two seeds.
    rng = np.random.default_rng(0)
    unit = normalize(embeddings @ np.linalg.qr(rng.normal(size=(8, 8)))[0])
    recorded = recorded_descent(unit, given, epochs=4, rng=rng)
    static = np.zeros(len(given))
    table = type_table(predicted, recorded, types, np.arange(len(given)), static, draws=200).set_index("anomaly_type")
    assert list(table.index) == ["all", "clean", "near_miss", "gross"]
    assert table.loc["all", "loss"] > 0.85 and table["loss"].min() > 0.5
    assert (
        table.loc["clean", "mean_predicted"]
        < table.loc["near_miss", "mean_predicted"]
        < table.loc["gross", "mean_predicted"]
    )
    assert table.loc["clean", "learnt_predicted"] < table.loc["gross", "learnt_predicted"] == 4
    assert table["between_seeds"].between(0.5, 1).all()
    assert table["static"].isna().all()  # a constant ranks nothing
    flat = table.reset_index()
    figures = [(mean_trajectories(predicted, recorded, types), ""), (correlation_bars(flat), "")]
    assert "over all rows" in render_page("T", "t", [Section("T3", flow_words(flat, predicted), figures, flat)], {})


def recorded_descent(unit, given, *, epochs, rng):
    features = np.concatenate([unit, np.ones((len(unit), 1))], axis=1)
    target, runs = np.eye(4)[given], []
    for _ in range(2):
        weight, losses = np.zeros((9, 4)), []
        for _ in range(epochs):
            for _ in range(20):
                weight -= 0.1 * features.T @ (0.25 + features @ weight - target) / len(unit)
            output = 0.25 + features @ weight + 0.02 * rng.normal(size=target.shape)
            losses.append((((output - target) ** 2).sum(axis=1), output.argmax(axis=1) == given))
        runs.append(losses)
    loss = np.array([[epoch[0] for epoch in run] for run in runs])
    return Recorded(loss, loss, np.array([[epoch[1] for epoch in run] for run in runs]))
