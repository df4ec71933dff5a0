import os

import numpy as np
import pytest
from image_files import encoded, picture, png, write_folder
from PIL import Image

from anomaly_mlflow.data.sources import digest, load, load_split
from anomaly_mlflow.errors import BadData


def test_folders_are_classes_in_the_order_of_their_names(tmp_path):
    samples = load(write_folder(tmp_path / "pets", {"dog": 3, "cat": 4}))
    assert samples.classes == ("cat", "dog") and samples.labels.tolist() == [0] * 4 + [1] * 3
    assert np.array_equal(samples.images[0], picture(4)) and samples.name == "pets"


def test_other_files_are_no_images(tmp_path):
    spec = write_folder(tmp_path / "pets" / "train", {"a": 3, "b": 3, ".hidden": 2})
    (tmp_path / "pets" / "train" / "a" / "Thumbs.db").write_bytes(b"x")
    (tmp_path / "pets" / "train" / "README.txt").write_text("x")
    samples = load(spec)
    assert len(samples) == 6 and samples.classes == ("a", "b") and samples.name == "pets"


def test_ids_do_not_move_when_a_file_breaks(tmp_path, caplog):
    spec = write_folder(tmp_path / "pets", {"a": 4, "b": 4})
    before = load(spec)
    (tmp_path / "pets" / "a" / "002.png").write_bytes(b"broken")
    after = load(spec)
    assert np.array_equal(after.sample_id, np.delete(before.sample_id, 2))
    assert "1 of 8 images of 'pets' do not decode: a/002.png" in caplog.text.replace(os.sep, "/")


def test_every_common_pixel_mode_decodes(tmp_path):
    root = tmp_path / "modes"
    write_folder(root, {"a": 2})
    for mode in ("1", "L", "LA", "P", "RGBA", "CMYK"):
        image = Image.fromarray(picture(0)).convert("RGB").convert(mode)
        image.save(root / "a" / f"{mode}.{'jpg' if mode == 'CMYK' else 'png'}")
    Image.fromarray(picture(0, channels=1).astype(np.uint16) * 256 + 7).save(root / "a" / "z16.png")
    samples = load(f"imagefolder:{root}")
    assert len(samples) == 9
    assert np.array_equal(samples.images[-1, :, :, 0], picture(0, channels=1))


@pytest.mark.parametrize("kind", ["EPS", "PCX", "TGA"])
def test_only_common_picture_formats_are_opened_whatever_the_file_is_called(tmp_path, kind):
    root = tmp_path / "odd"
    write_folder(root, {"a": 2})
    (root / "a" / "evil.png").write_bytes(encoded(picture(0), kind))
    assert len(load(f"imagefolder:{root}")) == 2


@pytest.mark.parametrize("make", [lambda root: None, lambda root: root.mkdir(), lambda root: root.write_text("x")])
def test_a_folder_without_images_is_refused(tmp_path, make):
    make(tmp_path / "x")
    with pytest.raises(BadData, match=str(tmp_path / "x")):
        load(f"imagefolder:{tmp_path / 'x'}")


def test_the_digest_follows_names_sizes_and_times(tmp_path):
    spec = write_folder(tmp_path / "pets", {"a": 3, "b": 3})
    digests = [digest(spec), digest(spec)]
    os.utime(tmp_path / "pets" / "a" / "000.png", ns=(1, 1))
    digests.append(digest(spec))
    (tmp_path / "pets" / "b" / "new.png").write_bytes(png(99))
    digests.append(digest(spec))
    assert digests[0] == digests[1] and len(set(digests)) == 3


def test_a_test_folder_is_matched_by_class_name(tmp_path):
    train = write_folder(tmp_path / "train", {"ape": 12, "bee": 12, "cow": 12})
    test = write_folder(tmp_path / "test", {"cow": 2, "ape": 1}, height=20)
    (tmp_path / "test" / "cow" / "000.png").write_bytes(png(1000, height=20))
    (tmp_path / "test" / "cow" / "001.png").write_bytes(png(1001, height=20))
    _, tested = load_split(train, test=test)
    assert tested.classes == ("ape", "bee", "cow") and tested.labels.tolist() == [0, 2, 2]
    assert tested.image_shape == (8, 8, 3)
    with pytest.raises(BadData, match="must agree"):
        load_split(train, test=write_folder(tmp_path / "other", {"zebra": 2}))


def test_a_file_that_is_too_large_for_an_image_is_not_read(tmp_path, caplog):
    spec = write_folder(tmp_path / "pets", {"a": 4})
    with (tmp_path / "pets" / "a" / "001.png").open("r+b") as file:
        file.truncate((64 << 20) + 1)
    assert load(spec).sample_id.tolist() == [0, 2, 3]
    assert "no bytes, or more than 64 MB" in caplog.text
