"""The commands of the README for other data and models, each typed as it stands there, with fewer images and epochs."""

import gzip
import io
import re
import shlex
import struct
import subprocess

import numpy as np
import pandas as pd
import pytest
from desk import ROOT, Desk
from image_files import REAL, real
from PIL import Image

from anomaly_mlflow.signals import SIGNALS

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]

SMALL = [
    "subset=300",
    "epochs=2",
    "baseline_epochs=2",
    "folds=2",
    "validation_folds=2",
    "seeds=1",
    "draws=100",
    "jobs=2",
]
NEEDED = {
    "fashion_mnist": ("fashion_mnist/train.parquet",),
    "mnist": ("mnist/train.parquet",),
    "cifar10": ("cifar10/train.parquet", "cifar10n/labels.parquet", "ood/tiny_imagenet_val.parquet"),
    "imagefolder": ("mnist/train.parquet",),
}


def commands():
    """What the README's block on other data and models types, by the data that it names."""
    text = (ROOT / "README.md").read_text()
    block = re.search(r"<!-- other data and models -->\n+```\n(.*?)```", text, re.DOTALL)[1]
    found = {}
    for line in block.replace("\\\n", " ").strip().splitlines():
        words = shlex.split(line)
        dataset = next(word for word in words if word.startswith("dataset="))
        name = next(name for name in NEEDED if name in re.sub(r"^dataset=(parquet:)?", "", dataset))
        found[name] = words
    return found


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def pictures(name, count):
    """(pictures, labels): the first rows of a real set, grey."""
    frame = pd.read_parquet(real(name)).groupby("label").head(count)
    return [Image.open(io.BytesIO(cell)) for cell in frame["image"]], frame["label"].to_numpy()


def write_idx(folder, name, count):
    """The files that torchvision reads, of the first rows of each class."""
    images, labels = pictures(name, count)
    folder.mkdir(parents=True)
    pixels = np.stack([np.asarray(image, np.uint8) for image in images])
    for prefix in ("train", "t10k"):
        for kind, array in (("images-idx3", pixels), ("labels-idx1", labels.astype(np.uint8))):
            head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
            (folder / f"{prefix}-{kind}-ubyte").write_bytes(head + array.tobytes())
            (folder / f"{prefix}-{kind}-ubyte.gz").write_bytes(gzip.compress(head + array.tobytes()))


def write_mixed_folder(folder, count):
    """Grey pictures of three sizes in class folders."""
    images, labels = pictures("mnist/train.parquet", count)
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        (folder / f"digit {label}").mkdir(parents=True, exist_ok=True)
        side = (28, 40, 23)[number % 3]
        image.resize((side, side)).save(folder / f"digit {label}" / f"{number:05}.png")


def test_the_readme_has_a_command_for_each_kind_of_data():
    assert set(commands()) == set(NEEDED)


@pytest.mark.parametrize("name", NEEDED)
def test_the_readmes_command_runs_to_its_report(desk, tmp_path, name):
    for file in NEEDED[name]:
        real(file)
    downloads = tmp_path / "downloads"
    write_idx(downloads / "FashionMNIST" / "raw", "fashion_mnist/train.parquet", 60)
    write_idx(downloads / "MNIST" / "raw", "mnist/train.parquet", 60)
    write_mixed_folder(tmp_path / "photos", 60)
    words = [word.replace("$ANOMALY_DATA", str(REAL)) for word in commands()[name]]
    words = [str(ROOT) if word == "." else word.replace("FOLDER", str(tmp_path / "photos")) for word in words]
    taken = {word.partition("=")[0] for word in SMALL}
    pairs = [word for word in words if not (word == "-P" or word.partition("=")[0] in taken)]
    options = [part for word in [*(word for word in pairs if "=" in word), *SMALL] for part in ("-P", word)]
    typed = ["mlflow", *[word for word in pairs[1:] if "=" not in word], *options]
    environment = desk.environment(ANOMALY_DOWNLOADS=str(downloads))
    done = subprocess.run(typed, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    main = desk.runs("main")[0]
    table = pd.read_csv(desk.artifact(main.info.run_id, "auroc_by_type.csv"), index_col=0)
    assert set(table.index) == {signal.column for signal in SIGNALS.values()}
    assert ("human_error" in table.columns) == (name == "cifar10")
    assert desk.artifact(main.info.run_id, "report.html").stat().st_size > 100_000
