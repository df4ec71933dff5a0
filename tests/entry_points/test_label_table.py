"""The table of repaired labels, and its way back through the option `labels`: ids are those of the source."""

import numpy as np
import pandas as pd
import pytest
from image_files import two_classes, write_folder

from anomaly_mlflow.data.human_labels import human_labels
from anomaly_mlflow.data.sources import load, load_split
from anomaly_mlflow.errors import BadData
from entry_points.label_table import label_table, refuse_moved


def repaired(samples):
    """Every third label changed."""
    return np.where(np.arange(len(samples)) % 3 == 0, (samples.labels + 1) % samples.num_classes, samples.labels)


def back(path, samples, spec):
    table = label_table(samples, repaired(samples), spec)
    table.to_parquet(path / "cleaned_labels.parquet", index=False)
    refuse_moved(f"parquet:{path / 'cleaned_labels.parquet'}#label", samples.sample_id, spec)
    found = human_labels(f"parquet:{path / 'cleaned_labels.parquet'}#label", samples.sample_id, samples.classes)[0]
    assert np.array_equal(found, repaired(samples))
    by_name = human_labels(f"parquet:{path / 'cleaned_labels.parquet'}#class", samples.sample_id, samples.classes)[0]
    assert np.array_equal(found, by_name)
    return table


def test_digits_read_their_cleaned_labels_back(tmp_path):
    back(tmp_path, load("digits", subset=200), "digits")


def test_a_folder_of_images_names_its_files(tmp_path):
    spec = write_folder(tmp_path / "pets", {"cat": 20, "dog": 20, "owl": 20})
    train, _ = load_split(spec, seed=1)
    table = back(tmp_path, train, spec)
    assert len(table) < 60 and set(table["sample_id"]) <= set(range(60))
    names = ("cat", "dog", "owl")
    assert list(table["source"]) == [f"{names[one // 20]}/{one % 20:03}.png" for one in table["sample_id"]]


@pytest.mark.parametrize("filtered", [False, True])
def test_a_parquet_file_keeps_its_own_index(tmp_path, filtered):
    spec = two_classes(tmp_path / "a.parquet", index=np.arange(40) * 7 + 3, part=["x", "y"] * 20)
    if filtered:
        spec = (
            two_classes(tmp_path / "b.parquet", index=np.arange(40) * 7 + 3, part=["x", "x", "y", "y"] * 10) + "?part=y"
        )
    table = back(tmp_path, load(spec), spec)
    assert len(table) == (20 if filtered else 40) and (table["sample_id"] % 7 == 3).all()
    assert list(table["source"]) == [f"index {one}" for one in table["sample_id"]]


def test_a_table_of_a_folder_that_lost_an_image_is_refused(tmp_path):
    spec = write_folder(tmp_path / "pets", {"cat": 20, "dog": 20})
    samples = load(spec)
    label_table(samples, samples.labels, spec).to_parquet(tmp_path / "labels.parquet", index=False)
    (tmp_path / "pets" / "cat" / "007.png").unlink()
    fewer = load(spec)
    with pytest.raises(BadData, match=r"sample 7 was cat/007.png when it was written, and is cat/008.png now"):
        refuse_moved(f"parquet:{tmp_path / 'labels.parquet'}#label", fewer.sample_id, spec)


def test_a_table_below_the_home_folder_is_found_by_its_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    samples = load("digits", subset=100)
    table = label_table(samples, samples.labels, "digits")
    table.to_parquet(tmp_path / "labels.parquet", index=False)
    refuse_moved("parquet:~/labels.parquet#label", samples.sample_id, "digits")
    table.assign(source="index 7").to_parquet(tmp_path / "labels.parquet", index=False)
    with pytest.raises(BadData, match="was index 7 when it was written"):
        refuse_moved("parquet:~/labels.parquet#label", samples.sample_id, "digits")


def test_any_other_table_may_hold_what_it_likes(tmp_path):
    table = pd.DataFrame({"index": range(5), "label": 0, "source": "somebody"})
    table.to_parquet(tmp_path / "labels.parquet", index=False)
    refuse_moved(f"parquet:{tmp_path / 'labels.parquet'}#label", np.arange(5), "digits")
    refuse_moved("cifarn:labels.pt#worse_label", np.arange(5), "digits")
