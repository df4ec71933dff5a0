import pytest
import torch
from torch import nn

from anomaly_mlflow.models import Architecture, build
from anomaly_mlflow.models.fusion import FusionNet, FusionSettings


def net(dropout=0.0, **settings):
    torch.manual_seed(0)
    image = build(Architecture("convnet", (8, 8, 1), 4, dropout))
    return FusionNet(image, FusionSettings(**settings)).eval()


IMAGES = torch.rand(40, 1, 8, 8, generator=torch.Generator().manual_seed(1))
CODES = torch.arange(40) % 4
OTHERS = (CODES + 1) % 4


@torch.no_grad()
def test_a_control_answers_from_its_own_source_alone():
    for name, same_images, same_codes in (("image", True, False), ("metadata", False, True)):
        model = net(modalities=name)
        plain = model(IMAGES, CODES)
        assert torch.equal(model(IMAGES, OTHERS), plain) == same_images
        assert torch.equal(model(IMAGES.flip(0), CODES), plain) == same_codes


@torch.no_grad()
def test_a_fused_answer_depends_on_both_sources():
    model = net()
    plain = model(IMAGES, CODES)
    assert not torch.allclose(model(IMAGES, OTHERS), plain) and not torch.allclose(model(IMAGES.flip(0), CODES), plain)


@torch.no_grad()
def test_neither_source_is_louder_than_the_other():
    model = net().train()  # in evaluation an untrained encoder's embedding is all but zero
    for parameter in model.metadata.parameters():
        parameter.mul_(100)
    for embedding in (model.embed_image(IMAGES), model.embed_metadata(CODES)):
        assert embedding.shape == (40, 128)
        torch.testing.assert_close(embedding.square().mean(dim=1), torch.ones(40), atol=0.01, rtol=0)
        torch.testing.assert_close(embedding.mean(dim=1), torch.zeros(40), atol=1e-4, rtol=0)


@torch.no_grad()
def test_the_scale_makes_the_metadata_softer_and_nothing_else():
    plain, soft = net(), net(metadata_scale=0.1)
    torch.testing.assert_close(soft.embed_metadata(CODES), plain.embed_metadata(CODES) * 0.1)
    assert torch.equal(soft.embed_image(IMAGES), plain.embed_image(IMAGES))


def disturbed(**settings):
    """What the head sees of the metadata in training, less what it sees in evaluation, (n, d); and the latter."""
    model, seen = net(**settings), []
    codes = torch.zeros(4000, dtype=torch.long)
    images = torch.rand(4000, 1, 4, 4)
    model.image.body = Blank()
    model.head.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0][:, 128:].detach()))
    with torch.no_grad():
        model.train()(images, codes)
        model.eval()(images, codes)
    return seen[0] - seen[1], seen[1]


class Blank(nn.Module):
    """An image encoder that costs nothing."""

    width = 128

    def forward(self, images):
        return torch.zeros(len(images), self.width)


def test_modality_dropout_leaves_out_so_many_pairs_metadata_and_only_in_training():
    change, plain = disturbed(modality_dropout=0.3)
    assert plain.abs().sum(dim=1).min() > 1
    zero = ((change + plain) == 0).all(dim=1)
    assert zero.float().mean().item() == pytest.approx(0.3, abs=0.03)
    assert (change[~zero] == 0).all()


def test_embedding_noise_has_the_deviation_that_was_asked_for_and_only_in_training():
    change, _ = disturbed(embedding_noise=2.0)
    assert change.std().item() == pytest.approx(2.0, rel=0.02) and abs(change.mean().item()) < 0.02
    assert torch.equal(disturbed()[0], torch.zeros(4000, 128))
    softer, _ = disturbed(embedding_noise=2.0, metadata_scale=0.1)
    assert softer.std().item() == pytest.approx(0.2, rel=0.02)
