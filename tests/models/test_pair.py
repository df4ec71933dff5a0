import numpy as np
import torch

from anomaly_mlflow.models import MODELS, Architecture, build, spoken_names
from anomaly_mlflow.models.pair import pair_of
from anomaly_mlflow.training.checkpoints import load_model, save_model
from anomaly_mlflow.training.inference import infer, infer_layers

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 12, 12, 1), dtype=np.uint8)


def two(name="convnet"):
    torch.manual_seed(0)
    models = [build(Architecture(name, (12, 12, 1), 4)).eval() for _ in range(2)]
    for model in models:
        model.mean.fill_(0.4)
        model.deviation.fill_(0.2)
    return models


def test_the_pair_answers_with_the_mean_of_both():
    for name in sorted(MODELS):
        models = two(name)
        alone = [infer(model, IMAGES) for model in models]
        embedding, logits = infer(pair_of(*models), IMAGES)
        np.testing.assert_allclose(logits, (alone[0][1] + alone[1][1]) / 2, atol=1e-4)
        np.testing.assert_allclose(embedding, np.concatenate([alone[0][0], alone[1][0]], axis=1), atol=1e-4)


def test_a_saved_pair_comes_back_bit_for_bit(tmp_path):
    pair = pair_of(*two())
    save_model(pair, tmp_path)
    again = load_model(tmp_path)
    assert again.architecture.name == "pair:convnet"
    assert np.array_equal(infer(pair, IMAGES)[1], infer(again, IMAGES)[1])
    layers = infer_layers(again, IMAGES)
    assert len(layers) == 5 and np.array_equal(layers[-1], infer(again, IMAGES)[0])


def test_a_user_is_not_told_of_pairs():
    assert not any("pair" in name for name in spoken_names())
