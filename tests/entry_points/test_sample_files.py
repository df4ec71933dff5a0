from dataclasses import dataclass

import numpy as np
import pytest

from anomaly_mlflow.data.sources import digest, load_split
from anomaly_mlflow.errors import BadData
from entry_points.sample_files import read_split

DATA = {"dataset": "digits", "test": None, "subset": 200, "corrupt": "skip", "image_size": None, "seed": 3}


@dataclass(frozen=True)
class Made:
    """A run that noted down its data."""

    data: dict
    id: str = "r"

    def json(self, _):
        return self.data


def noted(**more):
    return Made(DATA | {"digests": {"dataset": digest("digits")}} | more)


def test_a_run_from_before_the_option_imbalance_is_read_as_it_was_made():
    train, test = read_split(noted())
    again, _ = load_split("digits", subset=200, seed=3)
    assert np.array_equal(train.sample_id, again.sample_id) and len(test) > 100


def test_a_long_tail_is_read_back_as_it_was_made():
    train, _ = read_split(noted(imbalance=3.0))
    again, _ = load_split("digits", imbalance=3, subset=200, seed=3)
    assert np.array_equal(train.sample_id, again.sample_id) and len(train) == 200
    assert not np.array_equal(train.sample_id, read_split(noted())[0].sample_id)


def test_a_note_that_is_no_data_source_is_refused():
    with pytest.raises(BadData, match=r"data\.json of run r does not describe a data source"):
        read_split(noted(odd=1))
