import numpy as np

from anomaly_mlflow.data.patches import rearranged


def test_parts_move_whole_and_the_rim_stays():
    images = np.arange(2 * 10 * 9 * 1, dtype=np.uint8).reshape(2, 10, 9, 1)
    order = np.arange(16)
    order[[0, 5]] = [5, 0]
    moved = rearranged(images, order)
    assert np.array_equal(moved[:, :2, :2], images[:, 2:4, 2:4]) and np.array_equal(
        moved[:, 2:4, 2:4], images[:, :2, :2]
    )
    assert np.array_equal(moved[:, 8:], images[:, 8:]) and np.array_equal(moved[:, :, 8:], images[:, :, 8:])
    assert np.array_equal(rearranged(images, np.arange(16)), images)


def test_each_image_may_have_an_order_of_its_own():
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), dtype=np.uint8)
    orders = np.stack([np.arange(16), np.arange(16)[::-1]])
    moved = rearranged(images, orders)
    assert np.array_equal(moved[0], images[0]) and np.array_equal(moved[1], rearranged(images[1:], orders[1])[0])
