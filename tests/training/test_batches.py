import numpy as np
import pytest
import torch

from anomaly_mlflow.data.batches import balanced_batches, batch_count, to_float
from anomaly_mlflow.data.feed import Feed


@pytest.mark.parametrize(("n", "size"), [(100, 32), (97, 32), (5, 32), (64, 32), (1001, 100), (3, 2), (7, 2)])
def test_every_row_comes_once_and_no_batch_is_a_tail_of_a_few(n, size):
    batches = list(balanced_batches(np.arange(n), size, np.random.default_rng(0)))
    assert sorted(np.concatenate(batches)) == list(range(n))
    sizes = [len(batch) for batch in batches]
    assert max(sizes) - min(sizes) <= 1 and min(sizes) > 1
    assert len(sizes) == batch_count(n, size)


def test_bytes_become_numbers_from_zero_to_one_with_channels_first():
    images = torch.tensor([[[[0, 255, 51]]]], dtype=torch.uint8)
    assert to_float(images).squeeze().tolist() == pytest.approx([0.0, 1.0, 0.2])


def test_no_augmentation_returns_the_rows_as_they_are():
    images = torch.randint(0, 256, (6, 8, 8, 3), dtype=torch.uint8)
    assert torch.equal(_drawn(images, "none", np.array([4, 1])), images[[4, 1]])


@pytest.mark.parametrize(("kind", "mirrored"), [("crop", False), ("flip", True)])
def test_a_crop_is_a_window_of_the_padded_image_and_a_flip_its_mirror(kind, mirrored):
    images = torch.arange(32 * 32, dtype=torch.int64).remainder(251).to(torch.uint8).view(1, 32, 32, 1)
    padded = np.pad(images[0, :, :, 0].numpy(), 2, mode="reflect")
    windows = {padded[y : y + 32, x : x + 32].tobytes(): False for y in range(5) for x in range(5)}
    windows |= {padded[y : y + 32, x : x + 32][:, ::-1].tobytes(): True for y in range(5) for x in range(5)}
    drawn = _drawn(images, kind, np.zeros(200, np.int64)).squeeze(3).numpy()
    kinds = {windows[np.ascontiguousarray(image).tobytes()] for image in drawn}
    assert kinds == ({False, True} if mirrored else {False})


def _drawn(images, kind, rows):
    feed = Feed(images.numpy(), kind, torch.device("cpu"))
    return next(feed.epoch([rows], np.random.default_rng(0)))[1]
