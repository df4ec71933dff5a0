import os
import pickle
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from image_files import real

from anomaly_mlflow.data.human_labels import human_labels, human_labels_digest
from anomaly_mlflow.data.names import CIFAR10
from anomaly_mlflow.errors import BadData, BadOption, UnknownName

PETS = ("cat", "dog", "owl")
WORSE, CLEAN = np.array([2, 1, 0, 2, 1, 0]), np.array([0, 1, 2, 0, 1, 2])


def table(path, **columns):
    pd.DataFrame(columns).to_parquet(path)
    return f"parquet:{path}"


def cifarn(path, zipped=True, **arrays):
    torch.save(arrays, path, _use_new_zipfile_serialization=zipped)
    return f"cifarn:{path}"


def refused(spec, error=BadData, ids=(0, 1)):
    with pytest.raises(error) as caught:
        human_labels(spec, np.array(ids), PETS)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("key", ["index", "sample_id"])
def test_columns_come_in_the_order_asked_for_and_rows_in_that_of_the_ids(tmp_path, key):
    spec = table(tmp_path / "t.parquet", **{key: [9, 4, 7]}, worse=[0, 1, 2], clean=["owl", "cat", "dog"])
    labels = human_labels(f"{spec}#clean,worse", np.array([9, 7, 4]), PETS)
    assert labels.tolist() == [[2, 1, 0], [0, 2, 1]] and labels.dtype == np.int64


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("dtype", [np.int64, np.int32, ">i2", np.uint8])
def test_both_formats_of_torch_save_are_read_by_position(tmp_path, zipped, dtype):
    arrays = {"clean_label": CLEAN.astype(dtype), "worse_label": WORSE.astype(dtype)}
    spec = cifarn(tmp_path / "CIFAR-10_human.pt", zipped, **arrays)
    labels = human_labels(f"{spec}#worse_label,clean_label", np.array([5, 0, 3]), PETS)
    assert labels.tolist() == [[0, 2, 2], [2, 0, 0]]


class Hostile:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("form", ["zipped", "legacy", "pickle"])
def test_a_pickle_that_would_run_code_runs_none(tmp_path, form):
    trap = {"worse_label": Hostile(tmp_path / "sprung")}
    if form == "pickle":
        (tmp_path / "evil.pt").write_bytes(pickle.dumps(trap))
    else:
        torch.save(trap, tmp_path / "evil.pt", _use_new_zipfile_serialization=form == "zipped")
    spec = f"cifarn:{tmp_path / 'evil.pt'}#worse_label"
    message = refused(spec)
    assert "is no CIFAR-N label file (it asks for " in message and not (tmp_path / "sprung").exists()
    torch.load(tmp_path / "evil.pt", weights_only=False) if form != "pickle" else pickle.loads(pickle.dumps(trap))
    assert (tmp_path / "sprung").exists(), "the trap is none"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        pickle.dumps([1, 2]),
        pickle.dumps(1) + pickle.dumps(1001) + pickle.dumps({}) + pickle.dumps({"a": np.arange(3)}),
    ],
)
def test_bytes_that_are_no_label_file_are_refused(tmp_path, content):
    (tmp_path / "a.pt").write_bytes(content)
    assert "is no CIFAR-N label file" in refused(f"cifarn:{tmp_path / 'a.pt'}#a")


@pytest.mark.parametrize("values", [[1.0, 2.0], [[1, 2]], ["a", "b"]])
def test_arrays_that_are_no_labels_are_refused(tmp_path, values):
    assert "whole numbers" in refused(cifarn(tmp_path / "a.pt", a=np.array(values)) + "#a")


def test_a_compressed_part_is_refused_since_a_few_bytes_could_fill_the_memory(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", pickle.dumps({"a": np.zeros(1000, np.int64)}, 2))
    assert "compressed" in refused(f"cifarn:{tmp_path / 'a.pt'}#a")


def test_what_is_missing_or_repeated_is_named(tmp_path):
    spec = table(tmp_path / "t.parquet", index=[0, 1, 2], a=[0, 1, 7], b=pd.array([0, None, 2], "Int64"), c=[0.5] * 3)
    assert human_labels(f"{spec}#b", np.array([2, 0]), PETS).tolist() == [[2, 0]]
    assert "3 of 4 samples have no label in 'a', the first id 50" in refused(f"{spec}#a", ids=(1, 50, 60, 70))
    assert "1 of 2 samples have no label in 'b', the first id 1" in refused(f"{spec}#b")
    assert "label 7 in 'a' at index 2 is none of 3 classes (0 to 2): cat, dog" in refused(f"{spec}#a", ids=(0, 2))
    assert "must hold whole numbers or class names, not float" in refused(f"{spec}#c")
    assert "unknown label column 'd'; known: a, b, c" in refused(f"{spec}#a,d", UnknownName)
    twice = table(tmp_path / "u.parquet", index=[3, 1, 3], a=[0, 1, 2])
    assert "index 3 stands in several rows" in refused(f"{twice}#a")
    names = table(tmp_path / "v.parquet", index=[0, 1], a=["cat", "bat"])
    assert "label bat in 'a' at index 1 is none of" in refused(f"{names}#a")


def test_where_gaps_are_allowed_a_sample_without_a_label_has_none_and_a_wrong_label_is_still_refused(tmp_path):
    columns = {"a": [2, -1, 0], "b": pd.array([0, None, 2], "Int64"), "c": ["owl", None, "cat"], "d": [1, -2, 3]}
    spec, ids = table(tmp_path / "t.parquet", index=[4, 7, 9], **columns), np.array([9, 5, 7, 4])
    found = human_labels(f"{spec}#a,b,c", ids, PETS, gaps=True)
    assert found.tolist() == [[0, -1, -1, 2], [2, -1, -1, 0], [0, -1, -1, 2]] and found.dtype == np.int64
    for wrong, index in (([4, 7], 7), ([5, 9], 9)):
        with pytest.raises(BadData, match=f"in 'd' at index {index} is none of 3 classes"):
            human_labels(f"{spec}#d", np.array(wrong), PETS, gaps=True)
    assert "1 of 2 samples have no label in 'b', the first id 7" in refused(f"{spec}#b", ids=(4, 7))
    assert "label -1 in 'a' at index 7 is none of" in refused(f"{spec}#a", ids=(4, 7))


def test_a_file_without_rows_or_ids_or_of_another_kind_is_refused(tmp_path):
    assert "has no rows" in refused(table(tmp_path / "a.parquet", index=np.empty(0, np.int64), a=[]) + "#a")
    assert "no column 'index' or 'sample_id'; it has: a" in refused(table(tmp_path / "b.parquet", a=[0, 1]) + "#a")
    assert "whole numbers" in refused(table(tmp_path / "c.parquet", index=["x", "y"], a=[0, 1]) + "#a")
    (tmp_path / "d.parquet").write_text("hello")
    assert "no readable Parquet file" in refused(f"parquet:{tmp_path / 'd.parquet'}#a")
    for kind in ("parquet", "cifarn"):
        assert "does not exist" in refused(f"{kind}:{tmp_path / 'e'}#a")
        with pytest.raises(BadData, match="does not exist"):
            human_labels_digest(f"{kind}:{tmp_path / 'e'}#a")


@pytest.mark.parametrize(
    "spec", ["", "parquet:x", "parquet#a", "parquet:x#", "parquet:x#a,,b", "parquet:x?y=1#a", "#a"]
)
def test_a_spec_that_makes_no_sense_is_refused(spec):
    assert "parquet:PATH#column" in refused(spec, BadOption)


def test_an_unknown_kind_of_table_is_refused():
    assert "known: cifarn, parquet" in refused("csv:x#a", UnknownName)


def test_the_digest_follows_the_file_and_the_columns(tmp_path):
    one, copy = (table(tmp_path / f"{name}.parquet", index=[0, 1], a=[0, 1], b=[1, 0]) for name in "xy")
    other = table(tmp_path / "z.parquet", index=[0, 1], a=[1, 1], b=[1, 0])
    assert human_labels_digest(f"{one}#a") == human_labels_digest(f"{copy}#a")
    assert len({human_labels_digest(spec) for spec in (f"{one}#a", f"{one}#b", f"{one}#a,b", f"{other}#a")}) == 4


def test_cifar10n_differs_from_the_clean_labels_as_often_as_published():
    path = real("cifar10n/labels.parquet")
    columns = "clean,aggregate,random1,random2,random3,worst"
    labels = human_labels(f"parquet:{path}#{columns}", np.arange(50_000), CIFAR10)
    # Wei et al. 2022, table 1: aggregate 9.03 %, random 17.23, 18.12 and 17.64 %, worst 40.21 %.
    rates = (labels[1:] != labels[0]).mean(axis=1)
    np.testing.assert_allclose(rates, [0.0903, 0.1723, 0.1812, 0.1764, 0.4021], atol=0.0003)


def zipped_pickle(path, content):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", content)
    return f"cifarn:{path}#a"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x80\x02})" + b"\x85" * 300_000 + b"K\x01s.", "too long"),  # hashing it overflows the stack
        (b"\x80\x02})" + b"2\x86" * 40 + b"K\x01s.", "has a DUP"),  # hashing it takes 2 ** 40 steps
        (b"\x80\x02})" + b"q\x00h\x00\x86" * 40 + b"K\x01s.", "repeats a tuple"),
        (b"\x80\x02})" + b"Nbq\x00h\x00\x86" * 40 + b"K\x01s.", "repeats a tuple"),
        (b"\x80\x02}r\xff\xff\xff\x0f.", "memo is too large"),
        (b"\x80\x02cnumpy\ndtype\n)\x85R.", "whole numbers"),
    ],
    ids=["deep", "doubled", "doubled by memo", "doubled by a memo after a state", "memo", "name of a type"],
)
def test_a_pickle_that_would_crash_or_hang_is_refused_before_it_is_read(tmp_path, content, message):
    assert message in refused(zipped_pickle(tmp_path / "a.pt", content))


def test_an_archive_without_a_pickle_is_told_so(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.pt", "w") as archive:
        archive.writestr("a/other", b"")
    assert "it has 0 parts data.pkl" in refused(f"cifarn:{tmp_path / 'a.pt'}#a")


def test_a_table_that_is_no_file_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")  # reading it would wait for ever
    for kind in ("parquet", "cifarn"):
        refused(f"{kind}:{tmp_path / 'pipe'}#a")
        with pytest.raises(BadData, match="cannot be read"):
            human_labels_digest(f"{kind}:{tmp_path / 'pipe'}#a")


def test_a_table_with_two_indices_is_refused(tmp_path):
    pq.write_table(pa.table([[0, 1], [0, 1], [0, 1]], names=["index", "index", "a"]), tmp_path / "t.parquet")
    assert "several columns 'index'; rename one" in refused(f"parquet:{tmp_path / 't.parquet'}#a")
