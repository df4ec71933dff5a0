import numpy as np
import pandas as pd
import pytest

from anomaly_mlflow.detection.ranking import SUSPICION, mean_rank, suspicion
from anomaly_mlflow.errors import BadData


def test_the_mean_rank_by_hand_with_ties():
    assert mean_rank([np.array([10.0, 30.0, 20.0])]) == pytest.approx([1 / 3, 1, 2 / 3])
    assert mean_rank([np.array([1.0, 2.0, 2.0]), np.array([5.0, 6.0, 7.0])]) == pytest.approx(
        [1 / 3, 2.25 / 3, 2.75 / 3]
    )


def test_suspicion_does_not_depend_on_the_scale_of_a_signal_and_averages_over_trainings():
    rng = np.random.default_rng(0)
    tables = [pd.DataFrame(rng.normal(size=(50, len(SUSPICION))), columns=list(SUSPICION)) for _ in range(2)]
    scaled = [table.assign(**{SUSPICION[0]: np.exp(5 * table[SUSPICION[0]])}) for table in tables]
    assert suspicion(tables) == pytest.approx(suspicion(scaled))
    assert suspicion(tables) == pytest.approx((suspicion(tables[:1]) + suspicion(tables[1:])) / 2)


def test_a_table_without_one_of_the_signals_is_refused():
    with pytest.raises(BadData, match="lacks"):
        suspicion([pd.DataFrame({name: np.zeros(3) for name in SUSPICION[1:]})])
