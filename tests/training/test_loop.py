from dataclasses import replace

import numpy as np
import pytest
import torch
from lightning_fabric import seed_everything

from anomaly_mlflow.data.batches import to_float
from anomaly_mlflow.errors import BadOption, TrainingDiverged, UnknownName
from anomaly_mlflow.models import MODELS
from anomaly_mlflow.training import loop
from anomaly_mlflow.training.config import TrainConfig, configure
from anomaly_mlflow.training.inference import accuracy, infer
from anomaly_mlflow.training.loop import fit

FAST = TrainConfig("convnet", epochs=3, batch_size=16, learning_rate=0.05)


def test_easy_classes_are_learnt(stripes):
    model, recording = fit(stripes, replace(FAST, epochs=6), seed=0)
    assert recording is None
    assert accuracy(model, stripes) > 0.95


def test_every_row_of_every_epoch_is_recorded_and_the_loss_falls(stripes):
    _, recording = fit(stripes, FAST, seed=0, record=True)
    assert recording.logits.shape == (3, 120, 3)
    assert recording.logits.dtype == np.float16
    assert np.isfinite(recording.logits).all()
    assert recording.loss[-1].mean() < recording.loss[0].mean()
    assert np.array_equal(recording.sample_id, stripes.sample_id)


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_an_evaluation_pass_is_recorded_with_the_head_in_float32(stripes, precision):
    logits = fit(stripes, replace(FAST, precision=precision), seed=0, record=True, evaluate=True)[1].logits
    assert logits.shape == (3, 120, 3)
    finer = torch.from_numpy(logits).float()
    assert (finer != finer.bfloat16().float()).any()


def test_the_learning_rate_of_each_epoch_is_recorded(stripes):
    _, recording = fit(stripes, FAST, seed=0, record=True)
    assert recording.learning_rate.shape == (3,)
    assert 0 < recording.learning_rate.max() <= FAST.learning_rate


def test_the_same_seed_gives_the_same_recording_and_another_seed_another(stripes):
    first, again, other = (fit(stripes, FAST, seed=seed, record=True)[1].logits for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_recording_changes_nothing_about_the_training(stripes):
    with_recorder, _ = fit(stripes, FAST, seed=0, record=True)
    without, _ = fit(stripes, FAST, seed=0)
    for one, other in zip(with_recorder.parameters(), without.parameters(), strict=True):
        assert np.array_equal(one.detach().numpy(), other.detach().numpy())


def test_recorded_logits_are_those_of_the_batch_before_its_update(stripes):
    # One batch is the whole set and nothing is augmented or dropped: the first epoch shows the untrained model.
    config = replace(FAST, epochs=1, batch_size=120, dropout=0.0)
    _, recording = fit(stripes, config, seed=5, record=True)
    seed_everything(5, verbose=False)
    untrained = loop._fresh_model(stripes, config, np.arange(120)).train()
    with torch.no_grad():
        logits = untrained(to_float(torch.tensor(stripes.images))).numpy()
    np.testing.assert_allclose(recording.logits[0], logits, atol=5e-3)


def test_epochs_arrive_at_the_sink_while_training_goes_on(stripes):
    seen = []
    fit(
        stripes,
        FAST,
        seed=0,
        record=True,
        sink=lambda epoch, recording: seen.append(("sink", epoch, recording.logits.shape)),
        on_epoch=lambda epoch, model, loss: seen.append(("epoch", epoch)),
    )
    assert seen[:2] == [("sink", 0, (1, 120, 3)), ("epoch", 0)]
    assert len(seen) == 6


def test_a_loss_that_is_no_number_stops_the_training_with_advice(stripes):
    with pytest.raises(TrainingDiverged, match="lower learning_rate"):
        fit(stripes, replace(FAST, learning_rate=1e20), seed=0)


def test_grey_images_are_never_mirrored_and_colour_images_are():
    assert configure("vit", (8, 8, 1)).augmentation == "crop"
    assert configure("convnet", (32, 32, 3)).augmentation == "flip"


def test_what_the_user_chose_overrides_the_models_own_settings():
    assert configure("convnet", (32, 32, 3), epochs=2, learning_rate=None).epochs == 2
    assert configure("convnet", (8, 8, 1)).precision == "32-true"


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(BadOption, match="must be positive"):
        TrainConfig("convnet", epochs=0)
    with pytest.raises(UnknownName, match="known: convnet"):
        TrainConfig("lenet")


def test_pretrained_weights_are_refused_for_a_model_that_has_none():
    with pytest.raises(BadOption, match="model 'vit' has no pretrained weights; take timm:NAME"):
        configure("vit", (8, 8, 1), pretrained=True)


def test_pretrained_weights_are_tuned_at_a_lower_rate_unless_the_user_chose_one():
    from_nothing = configure("timm:resnet10t", (32, 32, 3)).learning_rate
    assert configure("timm:resnet10t", (32, 32, 3), pretrained=True).learning_rate == from_nothing / 5
    assert configure("timm:resnet10t", (32, 32, 3), pretrained=True, learning_rate=0.3).learning_rate == 0.3


@pytest.mark.parametrize("name", [*sorted(MODELS), "timm:resnet10t", "timm:mobilenetv3_small_050"])
def test_every_model_learns_with_its_own_settings(name, stripes):
    large = replace(stripes, images=stripes.images.repeat(2, axis=1).repeat(2, axis=2))
    losses = []
    config = configure(name, large.image_shape, "cpu", epochs=3, batch_size=16)
    fit(large, config, seed=0, device="cpu", on_epoch=lambda epoch, model, loss: losses.append(loss))
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(
    ("name", "side", "precision"),
    [
        ("resnet18", 32, "bf16-mixed"),
        ("resnet18", 8, "32-true"),
        ("convnext", 32, "32-true"),
        ("timm:resnet10t", 32, "bf16-mixed"),
        ("timm:resnet10t", 16, "32-true"),  # its last strided convolutions see maps of one pixel
        ("timm:mobilenetv3_small_050", 64, "32-true"),
        ("timm:vit_tiny_patch16_224", 32, "bf16-mixed"),
    ],
)
def test_a_cpu_uses_bfloat16_only_where_it_is_safe_and_pays(name, side, precision, monkeypatch):
    monkeypatch.setattr("anomaly_mlflow.training.device.has_bfloat16", lambda device: True)
    assert configure(name, (side, side, 3), "cpu").precision == precision


def test_an_evaluation_pass_is_recorded_instead_of_the_batches_and_changes_nothing_about_the_training(stripes):
    seen = []

    def ask(epoch, model, loss):
        seen.append(infer(model, stripes.images)[1].astype(np.float16))

    asked = replace(FAST, augmentation="crop", dropout=0.5)
    one, recording = fit(stripes, asked, seed=0, record=True, evaluate=True, on_epoch=ask)
    assert np.array_equal(recording.logits, np.stack(seen))
    assert 0 < recording.learning_rate.max() <= FAST.learning_rate
    other, _ = fit(stripes, asked, seed=0)
    assert all(torch.equal(*pair) for pair in zip(one.parameters(), other.parameters(), strict=True))


def test_a_cosine_falls_from_half_of_the_usual_peak_to_nothing(stripes):
    config = configure("convnet", stripes.image_shape, "cpu", len(stripes), schedule="cosine", epochs=4, batch_size=30)
    assert config.learning_rate == pytest.approx(0.5 * configure("convnet", stripes.image_shape, "cpu").learning_rate)
    _, recording = fit(stripes, config, seed=0, record=True)
    steps = np.arange(16).reshape(4, 4)  # 120 images make 4 batches of 30
    expected = config.learning_rate * (1 + np.cos(np.pi * steps / 16)) / 2
    assert recording.learning_rate == pytest.approx(expected.mean(axis=1))
