"""Evidence from model folders: a fold model that saw what it judges stops the run."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch

from anomaly_mlflow.errors import BadData, Leakage
from anomaly_mlflow.signals.collect import cross_fitted
from anomaly_mlflow.training.checkpoints import load_model, read_seen, save_model
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.folds import CROSS_FIT, assign_folds, fit_folds, fold_folder


@pytest.fixture
def clean(stripes, tmp_path):
    """A cross-fitted clean side of two folds, with a way to write its plan again."""
    fold, reference = assign_folds(stripes, 2, seed=0), np.arange(120) % 5 > 0
    fit_folds(stripes, fold, reference, TrainConfig("convnet", epochs=1, batch_size=32), seed=0, folder=tmp_path)

    def plan(fold=fold, reference=reference, sample_id=stripes.sample_id):
        table = pd.DataFrame({"sample_id": sample_id, "fold": fold, "reference": reference})
        table.to_parquet(tmp_path / CROSS_FIT)
        return tmp_path

    plan.fold, plan.reference = fold, reference
    return plan


def test_every_row_is_judged_once_beside_references_of_the_other_folds(stripes, clean):
    folds = cross_fitted(stripes, clean())
    assert sorted(np.concatenate([each.rows for each in folds])) == list(range(120))
    for k, each in enumerate(folds):
        assert len(each.reference_labels) == (clean.reference & (clean.fold != k)).sum()


def test_swapped_folds_are_leakage(stripes, clean):
    with pytest.raises(Leakage, match="trained on other rows"):
        cross_fitted(stripes, clean(fold=1 - clean.fold))


def test_more_references_than_the_encoder_saw_are_leakage(stripes, clean):
    with pytest.raises(Leakage, match="trained on other rows"):
        cross_fitted(stripes, clean(reference=np.ones(120, bool)))


@pytest.mark.parametrize(
    "damage",
    [{"fold": np.zeros(120, int)}, {"fold": np.full(120, -1)}, {"fold": np.arange(120) * 10**6},
     {"fold": np.full(120, "a")}, {"reference": np.zeros(120, bool)}, {"reference": np.full(120, "yes")},
     {"sample_id": np.arange(120)}],
    ids=lambda damage: next(iter(damage)),
)  # fmt: skip
def test_a_damaged_plan_ends_in_one_line(stripes, clean, damage):
    with pytest.raises(BadData) as caught:
        cross_fitted(stripes, clean(**damage))
    assert "\n" not in str(caught.value)


def test_weights_that_are_no_numbers_and_a_model_for_other_images_are_refused(stripes, clean):
    folder = clean()
    with pytest.raises(BadData, match="other images or classes"):
        cross_fitted(replace(stripes, classes=("a", "b", "c", "d")), folder)
    model = load_model(fold_folder(folder, 0))
    with torch.no_grad():
        model.head.weight[0, 0] = torch.nan
    save_model(model, fold_folder(folder, 0), read_seen(fold_folder(folder, 0)))
    with pytest.raises(BadData, match="are no numbers"):
        cross_fitted(stripes, folder)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [(lambda model: model.mean.fill_(torch.nan), "are no numbers"),
     (lambda model: model.deviation.zero_(), "is not positive"),
     (lambda model: next(b for n, b in model.named_buffers() if n.endswith("running_var")).fill_(-1), "not positive"),
     (lambda model: [weight.fill_(1e38) for weight in model.body.parameters()], "overflow")],
    ids=["mean", "deviation", "variance", "overflow"],
)  # fmt: skip
def test_buffers_and_weights_that_make_no_numbers_are_refused(stripes, clean, spoil, says):
    folder = fold_folder(clean(), 0)
    model = load_model(folder)
    with torch.no_grad():
        spoil(model)
    save_model(model, folder, read_seen(folder))
    with pytest.raises(BadData, match=says):
        cross_fitted(stripes, folder.parent)


def test_a_plan_with_metadata_of_others_ends_in_one_line(stripes, clean):
    folder = clean()
    table = pq.read_table(folder / CROSS_FIT)
    pq.write_table(table.replace_schema_metadata({b"pandas": b"{}"}), folder / CROSS_FIT)
    with pytest.raises(BadData, match="no cross-fitted clean model"):
        cross_fitted(stripes, folder)
