"""What train_folds or train_probes logged and somebody changed ends in one line."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from anomaly_mlflow.errors import AnomalyError, BadData
from anomaly_mlflow.tracking.run import Run
from entry_points.fold_files import read_out_of_fold, read_probes, read_second_splits
from entry_points.generate_noise import _hard, _out_of_fold

IDS, FOLD = np.arange(10, 16), np.array([0, 1, 0, 1, 0, 1])
LISTS = {
    "a NaN": [[1.0, np.nan]] * 6,
    "an infinity": [[1.0, np.inf]] * 6,
    "a number that overflows float32": [[1.0, 1e300]] * 6,
    "numeric strings": [["1", "2"]] * 6,
    "timestamps": [list(pd.to_datetime([1, 2]))] * 6,
    "nothing in the lists": [np.empty(0)] * 6,
    "ragged": [[1.0, 2.0]] * 5 + [[1.0]],
    "a lack": [[1.0, 2.0]] * 5 + [None],
    "text": ["ab"] * 6,
    "no lists": [1.0] * 6,
    "lists of lists": [[[1.0], [2.0]]] * 6,
}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run of six rows, two classes and two folds, all of whose files are in a folder."""
    found = Run.__new__(Run)
    found.id = "r"
    monkeypatch.setattr(Run, "path", lambda self, artifact: tmp_path / artifact)
    write(tmp_path, "out_of_fold.parquet", sample_id=IDS, fold=FOLD, logits=[[1.0, 2.0]] * 6)
    write(tmp_path, "baseline/out_of_fold.parquet", sample_id=IDS, logits=[[1.0, 2.0]] * 6)
    for k in range(2):
        write(tmp_path, f"second_split/fold={k}.parquet", sample_id=IDS[k != FOLD], correct=[[True, False, True]] * 3)
        write(tmp_path, f"probes/run={k}.parquet", sample_id=IDS, suite=np.arange(6) % 5 - 1, loss=[[1.0, 2.0]] * 6)
    return found


def write(folder, artifact, **columns):
    (folder / artifact).parent.mkdir(exist_ok=True)
    pd.DataFrame(columns).to_parquet(folder / artifact)


def hard(run):
    samples = SimpleNamespace(sample_id=IDS, labels=FOLD, num_classes=2)
    options = {"hard_share": 0.5, "seed": 0, "hard_by": "distance", "near_miss_from": "any"}
    return _hard(_out_of_fold(run, samples), samples, None, None, np.ones(6, bool), options)[0]


def test_whole_files_are_read_in_the_order_of_the_samples(run):
    assert read_out_of_fold(run, IDS, 2).tolist() == [[1.0, 2.0]] * 6
    splits = read_second_splits(run, IDS)
    assert [split.rows.tolist() for split in splits] == [[1, 3, 5], [0, 2, 4]]
    assert splits[0].correct.shape == (3, 3) and splits[0].correct.dtype == bool
    assert [each.loss.shape for each in read_probes(run, IDS)] == [(2, 6), (2, 6)]
    assert hard(run).sum() == 3


@pytest.mark.parametrize("damage", LISTS)
def test_lists_that_are_no_finite_numbers_of_one_length_are_refused(run, tmp_path, damage):
    cells, says = LISTS[damage], "must hold lists of finite numbers, all of one length"
    write(tmp_path, "out_of_fold.parquet", sample_id=IDS, fold=FOLD, logits=cells)
    with pytest.raises(BadData, match=f"'logits' of 'out_of_fold.parquet' of run r {says}"):
        read_out_of_fold(run, IDS, 2)
    write(tmp_path, "probes/run=1.parquet", sample_id=IDS, suite=np.arange(6) % 5 - 1, loss=cells)
    with pytest.raises(BadData, match=says):
        read_probes(run, IDS)
    write(tmp_path, "baseline/out_of_fold.parquet", sample_id=IDS, logits=cells)
    with pytest.raises(BadData, match=says):
        hard(run)


def test_logits_of_the_baseline_for_other_classes_are_refused(run, tmp_path):
    write(tmp_path, "baseline/out_of_fold.parquet", sample_id=IDS, logits=[[1.0]] * 6)
    with pytest.raises(BadData, match="run train_baseline again"):
        hard(run)


@pytest.mark.parametrize("cells", [["True", "False"], [np.nan, 1.0], [0, 1], [], None, "ab"], ids=repr)
def test_what_is_neither_true_nor_false_is_refused(run, tmp_path, cells):
    cells = np.empty(0, bool) if cells == [] else cells
    write(tmp_path, "second_split/fold=1.parquet", sample_id=IDS[FOLD != 1], correct=[cells] * 3)
    with pytest.raises(BadData, match="must hold lists of true or false"):
        read_second_splits(run, IDS)


@pytest.mark.parametrize(
    ("rows", "epochs", "fold"),
    [([0, 2, 4], 2, FOLD), ([1, 3, 5], 3, FOLD), ([0, 2], 3, FOLD), ([0, 4, 2], 3, FOLD), ([0, 2, 4], 3, FOLD * 2)],
    ids=["other epochs", "rows of the fold itself", "too few rows", "another order", "folds without a file"],
)
def test_a_second_split_of_other_rows_or_epochs_is_refused(run, tmp_path, rows, epochs, fold):
    write(tmp_path, "out_of_fold.parquet", sample_id=IDS, fold=fold, logits=[[1.0, 2.0]] * 6)
    write(tmp_path, "second_split/fold=1.parquet", sample_id=IDS[rows], correct=[[True] * epochs] * len(rows))
    with pytest.raises(BadData, match=r"is not whole|other samples"):
        read_second_splits(run, IDS)


@pytest.mark.parametrize("metadata", ["{}", '{"index_columns": ["zz"]}', "[]", "null", "[" * 10**5, "x"])
def test_metadata_that_pandas_has_not_written_ends_in_one_line(run, tmp_path, metadata):
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"sample_id": IDS}).replace_schema_metadata({b"pandas": metadata.encode()})
    pq.write_table(table, tmp_path / "x.parquet")
    try:
        run.frame("x.parquet", {"sample_id": int})
    except AnomalyError as error:
        assert "\n" not in str(error)
