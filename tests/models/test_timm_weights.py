import os

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file
from torch.nn.functional import interpolate

from anomaly_mlflow.errors import BadData, BadOption, UnknownName
from anomaly_mlflow.models import Architecture, build, timm_weights
from anomaly_mlflow.models.frozen import embed_frozen, frozen_digest
from anomaly_mlflow.training.checkpoints import load_model, save_model

NAME = "test_resnet"  # the smallest convolutional model of timm, 160 pixels a side


def weights_file(folder, name=NAME, seed=0, spoil=None, **arguments):
    torch.manual_seed(seed)
    net = timm.create_model(name, **arguments)
    weights = {key: value.contiguous() for key, value in net.state_dict().items()}
    if spoil:
        spoil(weights)
    file = folder / "weights.safetensors"
    save_file(weights, file)
    return net.eval(), file


def pictures(channels=3, n=70):
    return np.random.default_rng(0).integers(0, 256, (n, 20, 30, channels), dtype=np.uint8)


@pytest.fixture
def no_network(monkeypatch, tmp_path):
    def refuse(*names, **options):
        raise timm_weights.LocalEntryNotFoundError("an error happened while trying to locate the file")

    monkeypatch.setattr(timm_weights, "hf_hub_download", refuse)


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A model hub that serves one file, and tells what it was asked for."""
    asked = []

    def fetch(repository, file, **options):
        asked.append((repository, file))
        return str(tmp_path / "weights.safetensors")

    monkeypatch.setattr(timm_weights, "hf_hub_download", fetch)
    return asked


@pytest.mark.parametrize("arguments", [{}, {"num_classes": 0}, {"num_classes": 7}])
@pytest.mark.parametrize("name", [NAME, "test_vit"])
def test_a_frozen_encoder_gives_what_timm_gives_before_its_head(name, arguments, tmp_path):
    net, file = weights_file(tmp_path, name, **arguments)
    images = pictures()
    place = timm.get_pretrained_cfg(name)
    batch = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    batch = interpolate(batch, place.input_size[1:], mode=place.interpolation, antialias=True).clamp(0, 1)
    batch = (batch - torch.tensor(place.mean).view(1, 3, 1, 1)) / torch.tensor(place.std).view(1, 3, 1, 1)
    with torch.no_grad():
        expected = net.forward_head(net.forward_features(batch), pre_logits=True).numpy()
    found = embed_frozen(f"timm:{name}@{file}", images)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_grey_image_is_embedded_as_its_colour_copy(tmp_path):
    _, file = weights_file(tmp_path)
    grey = pictures(channels=1, n=3)
    same = embed_frozen(f"timm:{NAME}@{file}", np.repeat(grey, 3, axis=3))
    np.testing.assert_allclose(embed_frozen(f"timm:{NAME}@{file}", grey), same, atol=1e-5)


def test_published_weights_are_asked_for_as_safetensors_only(hub, tmp_path):
    weights_file(tmp_path)
    expected = embed_frozen(f"timm:{NAME}@{tmp_path / 'weights.safetensors'}", pictures(n=3))
    assert np.array_equal(embed_frozen(f"timm:{NAME}", pictures(n=3)), expected)
    assert {file for _, file in hub} == {"model.safetensors"}
    assert {repository for repository, _ in hub} == {timm.get_pretrained_cfg(NAME).hf_hub_id}


@pytest.mark.parametrize(
    "call",
    [
        lambda: embed_frozen(f"timm:{NAME}", pictures(n=1)),
        lambda: build(Architecture(f"timm:{NAME}", (32, 32, 3), 2), pretrained=True),
    ],
    ids=["frozen", "pretrained"],
)
def test_without_a_network_one_line_says_what_to_do(call, no_network):
    with pytest.raises(BadOption, match=r"cannot be downloaded \(no network\); .*HF_HOME.*pretrained=no") as caught:
        call()
    assert "\n" not in str(caught.value)


def test_a_model_without_published_weights_is_named():
    with pytest.raises(BadOption, match="timm publishes no weights of 'coatnet_0_224'"):
        embed_frozen("timm:coatnet_0_224", pictures(n=1))


def _without_a_weight(weights):
    del weights["layer2.0.conv1.weight"]


def _with_one_too_many(weights):
    weights["layer9.weight"] = torch.zeros(3)


def _of_another_shape(weights):
    weights["layer2.0.conv1.weight"] = torch.zeros(3)


@pytest.mark.parametrize("spoil", [_without_a_weight, _with_one_too_many, _of_another_shape])
@pytest.mark.parametrize("classes", [0, 7, 1000])
def test_a_file_that_does_not_hold_every_weight_is_refused(spoil, classes, tmp_path):
    _, file = weights_file(tmp_path, spoil=spoil, num_classes=classes)
    with pytest.raises(BadData, match=f"does not hold the weights of '{NAME}'") as caught:
        embed_frozen(f"timm:{NAME}@{file}", pictures(n=1))
    assert "\n" not in str(caught.value)


def test_weights_that_are_no_numbers_are_refused(tmp_path):
    _, file = weights_file(tmp_path, spoil=lambda weights: weights["conv1.0.weight"].fill_(torch.nan))
    with pytest.raises(BadData, match="no numbers"):
        embed_frozen(f"timm:{NAME}@{file}", pictures(n=1))


class _Trap:
    def __reduce__(self):
        return pytest.exit, ("unpickled",)


@pytest.mark.parametrize("name", ["trap.pth", "trap.safetensors", "trap.npz"])
def test_a_pickle_is_never_opened_whatever_its_name(name, tmp_path):
    torch.save({"conv1.weight": _Trap()}, tmp_path / name)
    with pytest.raises((BadData, BadOption)) as caught:
        embed_frozen(f"timm:{NAME}@{tmp_path / name}", pictures(n=1))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("spec", ["vit", f"timm:{NAME}@", "resnet20@x.safetensors"])
def test_a_spec_that_is_no_encoder_is_told_how_to_be_written(spec):
    with pytest.raises(BadOption, match=r"write timm:NAME or timm:NAME@PATH\.safetensors"):
        embed_frozen(spec, pictures(n=1))
    with pytest.raises(UnknownName):
        embed_frozen("timm:hf-hub:timm/resnet18", pictures(n=1))


def test_a_pretrained_body_starts_from_the_published_weights_fitted_to_the_images(hub, tmp_path):
    net, _ = weights_file(tmp_path)
    model = build(Architecture(f"timm:{NAME}", (32, 32, 1), 5), pretrained=True)
    assert torch.equal(model.body.net.layer3[0].conv1.weight, net.layer3[0].conv1.weight)
    # A grey image answers as its colour copy did: the first convolution is summed over its channels.
    torch.testing.assert_close(model.body.net.conv1[0].weight, net.conv1[0].weight.sum(dim=1, keepdim=True))
    assert model.head.out_features == 5


def test_a_pretrained_transformer_keeps_its_weights_at_another_size(hub, tmp_path):
    net, _ = weights_file(tmp_path, "test_vit")
    model = build(Architecture("timm:test_vit", (32, 48, 3), 5), pretrained=True)
    assert torch.equal(model.body.net.blocks[2].mlp.fc1.weight, net.blocks[2].mlp.fc1.weight)


def test_a_model_that_began_pretrained_is_loaded_without_the_hub(hub, tmp_path, monkeypatch):
    weights_file(tmp_path)
    model = build(Architecture(f"timm:{NAME}", (32, 32, 3), 5), pretrained=True).eval()
    save_model(model, tmp_path / "model")

    def forbidden(*names, **options):
        raise AssertionError("a registered model must not download")

    monkeypatch.setattr(timm_weights, "hf_hub_download", forbidden)
    images = torch.rand(2, 3, 32, 32)
    assert torch.equal(load_model(tmp_path / "model")(images), model(images))


@pytest.mark.parametrize("shape", [(1_500_000, 0), (5, 3), (5,), (0, 96), (5, 96, 9)])
def test_a_head_that_does_not_fit_the_model_is_refused_before_it_is_made(shape, tmp_path):
    _, file = weights_file(tmp_path, spoil=lambda weights: weights.update({"fc.weight": torch.zeros(shape)}))
    with pytest.raises(BadData, match=r"does not hold the weights of .* \(a head of \["):
        embed_frozen(f"timm:{NAME}@{file}", pictures(n=1))


def test_a_weights_file_that_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "a.safetensors")  # reading it would wait for ever
    for call in (frozen_digest, lambda spec: embed_frozen(spec, pictures(n=1))):
        with pytest.raises(BadData, match="is no file"):
            call(f"timm:{NAME}@{tmp_path / 'a.safetensors'}")
        with pytest.raises(BadOption, match="~nosuch"):
            call(f"timm:{NAME}@~nosuch/a.safetensors")
