import base64
import io

import numpy as np
import pytest
from PIL import Image

from anomaly_mlflow.anomalies.types import MADE, AnomalyType
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.report.gallery import gallery, reason, sentence
from anomaly_mlflow.report.pictures import picture_uri


def decoded(uri):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))))


def test_the_planted_suspects_are_picked_most_probable_first(report):
    assert list(report.gallery) == list(MADE[1:])
    for kind, entries in report.gallery.items():
        assert [entry.truth for entry in entries] == [kind] * 5
        probabilities = [entry.probability for entry in entries]
        assert probabilities == sorted(probabilities, reverse=True)
        assert probabilities[0] == report.explanation.probability[:, MADE.index(kind)].max()


def test_picture_and_labels_are_those_of_the_sample(report):
    entry = report.gallery[AnomalyType.GROSS][0]
    row = np.flatnonzero(report.samples.sample_id == entry.sample_id)[0]
    truth = report.ledger.set_index("sample_id").loc[entry.sample_id]
    assert np.array_equal(decoded(entry.picture), report.samples.images[row])
    assert (
        entry.given
        == report.samples.classes[truth["given_label"]]
        == report.samples.classes[report.samples.labels[row]]
    )
    assert entry.true_label == report.samples.classes[truth["true_label"]]
    assert entry.suggestion == report.samples.classes[(truth["given_label"] + 1) % 3]


def test_hard_images_keep_their_label_and_strangers_go(report):
    assert {entry.suggestion for entry in report.gallery[AnomalyType.HARD]} == {"keep the label"}
    assert {entry.suggestion for entry in report.gallery[AnomalyType.OOD]} == {"leave the image out"}
    assert {entry.true_label for entry in report.gallery[AnomalyType.OOD]} == {"no class"}


def test_a_type_that_no_classifier_knows_is_left_out(without_hard):
    assert AnomalyType.HARD not in without_hard.gallery
    assert len(without_hard.gallery) == 4


def test_the_reason_names_what_speaks_loudest_of_each_family_and_how_far_out_the_sample_stands():
    columns = ["dynamics.final_loss", "geometry.knn_disagreement", "dynamics.mean_loss", "mine.novelty", "label.loss"]
    values, percentile = np.array([3.0, 2.0, 2.5, 1.0, -9.0]), np.array([0.985, 0.955, 0.9, 0.03, 0.5])
    assert reason(columns, values, percentile) == (
        "its loss stayed high to the end (top 2 %), the clean images nearest to it bear other labels (top 5 %)"
        " and novelty is low (bottom 3 %)"
    )
    assert reason(columns, -np.abs(values), percentile) == "no single signal speaks for it"


def test_the_sentence_says_what_is_given_what_is_suggested_and_what_it_looks_like():
    said = sentence("cat", "dog", AnomalyType.NEAR_MISS, "its loss ended low (bottom 1 %)")
    assert said == (
        "Given 'cat', suggested 'dog': it looks like a near miss, mostly because its loss ended low (bottom 1 %)."
    )
    assert sentence("cat", "keep the label", AnomalyType.HARD, "x").startswith("Given 'cat', keep the label: it looks")


def test_tables_of_different_runs_are_refused(report):
    with pytest.raises(BadData, match="different samples"):
        gallery(report.explanation, report.samples, report.ledger.iloc[::-1], np.zeros(len(report.ledger), int))
    with pytest.raises(BadData, match="different samples"):
        gallery(report.explanation, report.samples, report.ledger, np.zeros(3, int))


def test_large_pictures_are_shrunk_and_grey_ones_stay_grey():
    assert decoded(picture_uri(np.zeros((512, 256, 3), np.uint8))).shape == (128, 64, 3)
    assert decoded(picture_uri(np.full((8, 8, 1), 7, np.uint8))).tolist() == [[7] * 8] * 8
