import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from anomaly_mlflow.errors import BadData, BadOption, UnknownName
from anomaly_mlflow.models import MODELS, Architecture, build, find
from anomaly_mlflow.training.checkpoints import load_model, load_snapshots, save_model
from anomaly_mlflow.training.inference import infer, infer_layers

SHAPES = [(8, 8, 1), (32, 32, 3), (28, 28, 1), (21, 30, 3), (30, 30, 1), (33, 31, 3)]
TIMM = ["resnet10t", "vit_tiny_patch16_224", "convnext_atto", "mobilenetv3_small_050", "efficientnet_b0"]
TIMM += ["swin_tiny_patch4_window7_224", "mvitv2_tiny"]  # maps with channels last; no places for features
EVERY = [*sorted(MODELS), *(f"timm:{name}" for name in TIMM)]


@pytest.fixture(params=EVERY)
def model(request):
    torch.manual_seed(0)
    return build(Architecture(request.param, (32, 32, 3), 5)).eval()


def pictures(n=5):
    return np.random.default_rng(0).integers(0, 256, (n, 32, 32, 3), dtype=np.uint8)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", sorted(MODELS))
def test_takes_images_of_any_size_and_gives_one_logit_a_class(name, shape):
    model = build(Architecture(name, shape, 7)).eval()
    images = torch.rand(3, shape[2], *shape[:2])
    assert model(images).shape == (3, 7)
    assert model.embed(images).shape == (3, model.head.in_features)


def test_the_head_on_the_embedding_is_the_forward_pass(model):
    images = torch.rand(4, 3, 32, 32)
    assert torch.equal(model.head(model.embed(images)), model(images))


def test_the_order_of_a_batch_does_not_matter_in_evaluation(model):
    images = pictures(12)
    order = np.random.default_rng(1).permutation(12)
    for whole, shuffled in zip(infer(model, images), infer(model, images[order]), strict=True):
        np.testing.assert_allclose(whole[order], shuffled, atol=1e-5)


def test_a_saved_model_comes_back_bit_for_bit(model, tmp_path):
    save_model(model, tmp_path)
    images = pictures()
    for before, after in zip(infer(model, images), infer(load_model(tmp_path), images), strict=True):
        assert np.array_equal(before, after)


def test_an_unknown_model_is_named_beside_the_known_ones():
    with pytest.raises(UnknownName, match=r"unknown model 'lenet'; .*known: convnet, .*resnet20, timm:NAME, vit"):
        build(Architecture("lenet", (8, 8, 1), 2))


@pytest.mark.parametrize(
    ("name", "close"),
    [("resnt18", "resnet18"), ("resnet50", "timm:resnet50"), ("timm:resnt26", "timm:resnet26")],
)
def test_a_misspelt_model_ends_in_its_likely_name(name, close):
    with pytest.raises(UnknownName, match=f"close: .*{close}"):
        find(name)


@pytest.mark.parametrize("name", ["hf-hub:timm/resnet18.a1_in1k", "local-dir:/tmp", "resnet18.a1_in1k", "../x", ""])
def test_nothing_but_a_name_in_timms_list_is_built(name):
    values = {"name": f"timm:{name}", "image_shape": [32, 32, 3], "num_classes": 2, "dropout": 0.1}
    with pytest.raises(UnknownName):
        build(Architecture.from_dict(values))


def test_the_layers_are_the_stages_in_order_of_depth_and_then_the_embedding(model):
    images = pictures()
    layers = infer_layers(model, images, batch_size=2)
    assert 3 <= len(model.body.stages) <= 7
    assert len(layers) == len(model.body.stages) + 1
    assert all(layer.ndim == 2 and len(layer) == 5 and layer.dtype == np.float32 for layer in layers)
    assert all(np.isfinite(layer).all() and layer.std(axis=0).max() > 0 for layer in layers)
    np.testing.assert_allclose(layers[-1], infer(model, images, batch_size=2)[0], atol=1e-6)


def test_each_stage_is_fed_by_the_one_before(model):
    order = []
    for number, stage in enumerate(model.body.stages):
        stage.register_forward_hook(lambda *_, number=number: order.append(number))
    model.embed(torch.rand(2, 3, 32, 32))
    assert order == sorted(order) == list(range(len(model.body.stages)))


@pytest.mark.parametrize("name", ["resnet20", "timm:resnet10t", "timm:swin_tiny_patch4_window7_224"])
def test_a_layer_is_the_mean_over_positions_of_its_stage(name):
    model = build(Architecture(name, (32, 32, 3), 5)).eval()
    images = torch.rand(2, 3, 32, 32)
    maps = []
    model.body.stages[1].register_forward_hook(lambda module, inputs, output: maps.append(output))
    found = model.layers(images)[1]
    places = (1, 2) if "swin" in name else (2, 3)
    torch.testing.assert_close(found, maps[0].mean(dim=places))


def test_looking_at_the_layers_leaves_the_model_as_it_was(model):
    images = torch.rand(2, 3, 32, 32)
    before = model(images)
    model.layers(images)
    assert torch.equal(before, model(images))
    assert not any(stage._forward_hooks for stage in model.body.stages)


@pytest.mark.parametrize(
    "values",
    [[], {"name": "vit"}, {"name": "vit", "image_shape": [8, 8], "num_classes": 2, "dropout": 0.1},
     {"name": "vit", "image_shape": [10**9, 8, 1], "num_classes": 2, "dropout": 0.1},
     {"name": "vit", "image_shape": [8, 8, 1], "num_classes": -1, "dropout": 0.1},
     {"name": "vit", "image_shape": "881", "num_classes": 2, "dropout": 0.1},
     {"name": "vit", "image_shape": [8, 8, True], "num_classes": 2, "dropout": 0.1},
     {"name": "vit", "image_shape": [8, 8.5, 1], "num_classes": 2, "dropout": 0.1},
     {"name": "vit", "image_shape": [8, 8, 1], "num_classes": "10", "dropout": 0.1}],
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


def test_images_that_a_model_cannot_take_end_in_one_line():
    with pytest.raises(BadOption, match=r"'timm:convnext_atto' cannot take images of 8x8x1 .*choose another") as caught:
        build(Architecture("timm:convnext_atto", (8, 8, 1), 3))
    assert "\n" not in str(caught.value)
    with pytest.raises(BadData, match="convnext needs images of 8 pixels a side, these are 4x9; choose convnet"):
        build(Architecture("convnext", (4, 9, 1), 3))


def test_a_timm_vit_is_built_for_the_size_of_the_images():
    body = build(Architecture("timm:vit_tiny_patch16_224", (32, 48, 1), 3)).body
    assert body.net.patch_embed.grid_size == (2, 3)
    assert body.net.patch_embed.proj.in_channels == 1


def test_resnet18_is_the_librarys_with_a_stem_for_small_images():
    model = build(Architecture("resnet18", (32, 32, 3), 10))
    # He et al. 2016 with the 3x3 stem of 3 * 64 * 9 weights: 11.17 million with ten classes.
    assert sum(weight.numel() for weight in model.parameters()) == 11_173_962
    maps = []
    model.body.net.layer1.register_forward_hook(lambda module, inputs, output: maps.append(output.shape))
    model(torch.rand(2, 3, 32, 32))
    assert maps == [(2, 64, 32, 32)]


def test_convnext_is_as_large_as_atto():
    ours = build(Architecture("convnext", (32, 32, 3), 10)).body
    atto = build(Architecture("timm:convnext_atto", (32, 32, 3), 10)).body
    stem = lambda body: sum(weight.numel() for weight in body.net.stem.parameters())  # noqa: E731
    count = lambda body: sum(weight.numel() for weight in body.parameters()) - stem(body)  # noqa: E731
    assert count(ours) == count(atto)


def test_every_model_is_looked_at_without_memory_before_it_is_built(model, tmp_path):
    save_model(model, tmp_path)
    save_file({}, tmp_path / "weights.safetensors")
    with pytest.raises(BadData, match="' is missing"):  # what `load_state_dict` says is "Missing key(s)"
        load_model(tmp_path)


def test_a_giant_with_no_weights_is_not_built(tmp_path, monkeypatch):
    save_model(build(Architecture("convnet", (32, 32, 3), 3)), tmp_path)
    text = (tmp_path / "architecture.json").read_text().replace("convnet", "timm:vit_giant_patch14_224")
    (tmp_path / "architecture.json").write_text(text)
    monkeypatch.setattr(torch.nn.Module, "load_state_dict", lambda *_: pytest.fail("it was built"))
    with pytest.raises(BadData, match="cannot be read"):
        load_model(tmp_path)


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64, torch.float16])
def test_weights_of_another_type_are_refused_by_name(tmp_path, dtype):
    model = build(Architecture("convnet", (8, 8, 1), 3))
    save_model(model, tmp_path)
    save_file(
        model.state_dict() | {"head.weight": model.head.weight.detach().to(dtype)}, tmp_path / "weights.safetensors"
    )
    with pytest.raises(BadData, match=f"'head.weight' is {dtype}"):
        load_model(tmp_path)


@pytest.mark.parametrize("epochs", [[0, 2], [0, 1, 2, 3], [], [1, 2, 0, 7]])
def test_snapshots_of_other_epochs_are_refused(tmp_path, epochs):
    for epoch in epochs:
        save_model(build(Architecture("convnet", (8, 8, 1), 3)), tmp_path / f"epoch={epoch:04d}")
    with pytest.raises(BadData, match="epoch=0000, epoch=0001, epoch=0002; run"):
        load_snapshots(tmp_path, 3)
