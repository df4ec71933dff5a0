"""The prototype margin in the model's own embedding, by hand."""

import numpy as np
import pytest

from anomaly_mlflow.signals import Evidence, find


def margin(embeddings, labels, classes):
    embeddings = np.array(embeddings, np.float32)
    evidence = Evidence(np.arange(len(labels)), np.array(labels), classes, embeddings=embeddings)
    return find("prototype_margin")(evidence)


def test_a_row_is_compared_with_the_other_rows_of_its_label_and_never_with_itself():
    # Label 0: (1, 0), (0, 1), (-1, 0). For the last, the others sum to (1, 1): the cosine is -1/sqrt(2).
    # Label 1: (-1, 0), (-1, 0): distance 0. Label 2: (0, -1): distance 1.
    found = margin([[1, 0], [0, 1], [-1, 0], [-1, 0], [-2, 0], [0, -1]], [0, 0, 0, 1, 1, 2], 3)
    assert found[2] == pytest.approx(1 + 1 / np.sqrt(2))
    # Of label 1, the other one lies where it does; the sum of label 0 is (0, 1): distance 1.
    assert found[3] == pytest.approx(0 - 1)


def test_a_label_that_no_other_row_bears_is_as_far_as_can_be():
    found = margin([[1, 0], [1, 0], [0, 1]], [0, 0, 1], 3)  # and label 2 has no row at all
    assert found[2] == pytest.approx(2 - 1)
    assert found[0] == pytest.approx(0 - 1)
