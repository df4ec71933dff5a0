import numpy as np
import pytest
import torch

from anomaly_mlflow.errors import BadData, UnknownName
from anomaly_mlflow.models import MODELS, Architecture, build
from anomaly_mlflow.training.checkpoints import load_model, save_model
from anomaly_mlflow.training.inference import infer

SHAPES = [(8, 8, 1), (32, 32, 3), (28, 28, 1), (21, 30, 3)]


@pytest.fixture(params=sorted(MODELS))
def model(request):
    torch.manual_seed(0)
    return build(Architecture(request.param, (16, 16, 3), 5)).eval()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", sorted(MODELS))
def test_takes_images_of_any_size_and_gives_one_logit_a_class(name, shape):
    model = build(Architecture(name, shape, 7)).eval()
    images = torch.rand(3, shape[2], *shape[:2])
    assert model(images).shape == (3, 7)
    assert model.embed(images).shape == (3, model.head.in_features)


def test_the_head_on_the_embedding_is_the_forward_pass(model):
    images = torch.rand(4, 3, 16, 16)
    assert torch.equal(model.head(model.embed(images)), model(images))


def test_the_order_of_a_batch_does_not_matter_in_evaluation(model):
    images = np.random.default_rng(0).integers(0, 256, (12, 16, 16, 3), dtype=np.uint8)
    order = np.random.default_rng(1).permutation(12)
    for whole, shuffled in zip(infer(model, images), infer(model, images[order]), strict=True):
        np.testing.assert_allclose(whole[order], shuffled, atol=1e-5)


def test_a_saved_model_comes_back_bit_for_bit(model, tmp_path):
    save_model(model, tmp_path)
    images = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 3), dtype=np.uint8)
    for before, after in zip(infer(model, images), infer(load_model(tmp_path), images), strict=True):
        assert np.array_equal(before, after)


def test_an_unknown_model_is_named_beside_the_known_ones():
    with pytest.raises(UnknownName, match="unknown model 'vgg'; known: convnet, resnet20, vit"):
        build(Architecture("vgg", (8, 8, 1), 2))


@pytest.mark.parametrize(
    "values",
    [[], {"name": "vit"}, {"name": "vit", "image_shape": [8, 8], "num_classes": 2, "dropout": 0.1},
     {"name": "vit", "image_shape": [10**9, 8, 1], "num_classes": 2, "dropout": 0.1},
     {"name": "vit", "image_shape": [8, 8, 1], "num_classes": -1, "dropout": 0.1}],
)  # fmt: skip
def test_a_hostile_architecture_is_refused_before_anything_is_built(values):
    with pytest.raises(BadData, match=r"architecture\.json"):
        Architecture.from_dict(values)


def test_a_truncated_weights_file_ends_in_one_line(model, tmp_path):
    save_model(model, tmp_path)
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:200])
    with pytest.raises(BadData, match="cannot be read") as caught:
        load_model(tmp_path)
    assert "\n" not in str(caught.value)


def test_weights_of_another_model_are_refused(tmp_path):
    save_model(build(Architecture("convnet", (8, 8, 1), 3)), tmp_path)
    (tmp_path / "architecture.json").write_text((tmp_path / "architecture.json").read_text().replace("convnet", "vit"))
    with pytest.raises(BadData, match="cannot be read"):
        load_model(tmp_path)
