import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

from anomaly_mlflow.errors import BadOption
from anomaly_mlflow.models import Architecture, build
from anomaly_mlflow.models.fusion import FusionNet, FusionSettings
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.fusion_inference import Answers, answers, image_embeddings, metadata_attribution
from anomaly_mlflow.training.fusion_loop import fit_fusion

FAST = TrainConfig("convnet", epochs=6, batch_size=16, learning_rate=0.05)
PLAIN = FusionSettings()


def accuracy(model, samples, codes):
    return (answers(model, image_embeddings(model, samples.images), codes).predicted == samples.labels).mean()


def test_an_easy_image_and_a_class_code_are_learnt_by_their_own_network(stripes):
    other = (stripes.labels + 1) % 3
    image = fit_fusion(stripes, stripes.labels, FAST, FusionSettings("image"), seed=0, device="cpu")
    assert accuracy(image, stripes, other) > 0.95
    metadata = fit_fusion(stripes, stripes.labels, FAST, FusionSettings("metadata"), seed=0, device="cpu")
    assert accuracy(metadata, stripes, stripes.labels) == 1.0
    assert accuracy(metadata, stripes, other) == 0.0


def test_metadata_that_know_nothing_are_not_followed(stripes):
    model = fit_fusion(stripes, stripes.labels, FAST, PLAIN, seed=0, device="cpu", metadata_noise=2 / 3)
    assert accuracy(model, stripes, (stripes.labels + 1) % 3) > 0.95


def test_the_seed_fixes_the_network_and_the_noise_matters(stripes):
    short = replace(FAST, epochs=1)
    first, again, noisy = (
        fit_fusion(stripes, stripes.labels, short, PLAIN, seed=7, device="cpu", metadata_noise=noise)
        for noise in (0.0, 0.0, 0.5)
    )
    states = [torch.cat([value.flatten() for value in one.parameters()]) for one in (first, again, noisy)]
    assert torch.equal(states[0], states[1]) and not torch.equal(states[0], states[2])


def test_each_epoch_tells_its_loss_and_how_many_training_pairs_were_right(stripes):
    told = []
    fit_fusion(
        stripes,
        stripes.labels,
        FAST,
        PLAIN,
        seed=0,
        device="cpu",
        on_epoch=lambda epoch, model, loss, right: told.append((epoch, loss, right)),
    )
    assert [one[0] for one in told] == list(range(6))
    assert told[-1][1] < told[0][1] and told[-1][2] > 0.9
    assert all(0 <= right <= 1 for _, _, right in told)


def test_a_batch_larger_than_the_set_is_refused(stripes):
    with pytest.raises(BadOption, match="batch_size=121"):
        fit_fusion(stripes, stripes.labels, replace(FAST, batch_size=121), PLAIN, seed=0, device="cpu")


def planted(n, seed, **settings):
    """A network with a random head, and its answers to random image embeddings."""
    torch.manual_seed(0)
    model = FusionNet(build(Architecture("convnet", (8, 8, 1), 5)), FusionSettings(**settings)).eval()
    rng = np.random.default_rng(seed)
    width = 0 if settings.get("modalities") == "metadata" else 1
    image = (width * rng.normal(size=(n, 128))).astype(np.float32)
    return model, answers(model, image, rng.integers(0, 5, n))


def test_attribution_is_that_of_shap_for_a_linear_head():
    with warnings.catch_warnings():  # shap recolours a matplotlib map in a deprecated way while it is imported
        warnings.simplefilter("ignore")
        from shap import LinearExplainer

    model, asked = planted(30, 1)
    reference = planted(40, 2)[1]
    weight = model.head.weight.detach().double().numpy()
    mean = np.concatenate([reference.image, reference.metadata], axis=1, dtype=np.float64)
    both = np.concatenate([asked.image, asked.metadata], axis=1, dtype=np.float64)
    for row, label in enumerate(asked.predicted):
        line = weight[label] - weight.mean(axis=0)
        values = LinearExplainer((line, 0.0), mean.mean(axis=0, keepdims=True)).shap_values(both[row : row + 1])[0]
        image, metadata = abs(values[:128].sum()), abs(values[128:].sum())
        found = metadata_attribution(model, asked, reference)[row]
        assert found == pytest.approx(metadata / (image + metadata), abs=1e-6)


def test_attribution_is_gradient_times_what_differs_from_the_mean():
    model, asked = planted(30, 1)
    reference = planted(40, 2)[1]
    parts = [torch.tensor(part, requires_grad=True) for part in (asked.image, asked.metadata)]
    logits = model.fuse(*parts)
    chosen = logits.gather(1, torch.tensor(asked.predicted)[:, None])[:, 0] - logits.mean(dim=1)
    chosen.sum().backward()
    means = (reference.image.mean(axis=0), reference.metadata.mean(axis=0))
    image, metadata = (
        np.abs((part.grad.numpy() * (part.detach().numpy() - mean)).sum(axis=1))
        for part, mean in zip(parts, means, strict=True)
    )
    np.testing.assert_allclose(metadata_attribution(model, asked, reference), metadata / (image + metadata), atol=1e-4)


@pytest.mark.parametrize(("name", "share"), [("image", 0.0), ("metadata", 1.0)])
def test_a_control_is_accounted_for_by_its_own_source(name, share):
    model, asked = planted(30, 1, modalities=name)
    assert metadata_attribution(model, asked, planted(40, 2, modalities=name)[1]).tolist() == [share] * 30


def test_where_neither_source_says_anything_they_share_alike():
    model, asked = planted(3, 1)
    nothing = Answers(0 * asked.image, 0 * asked.metadata, asked.logits)
    assert metadata_attribution(model, nothing, nothing).tolist() == [0.5] * 3


def test_missing_metadata_are_a_zero_embedding():
    model, asked = planted(10, 1)
    missing = answers(model, asked.image, None)
    assert not missing.metadata.any()
    by_hand = asked.image @ model.head.weight[:, :128].detach().numpy().T + model.head.bias.detach().numpy()
    np.testing.assert_allclose(missing.logits, by_hand, atol=1e-4)
