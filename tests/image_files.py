"""Small image files for the tests of data and anomalies."""

import io
import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

REAL = Path(os.environ.get("ANOMALY_DATA", Path(__file__).parents[2] / "shared" / "data"))


def real(name):
    path = REAL / name
    if not path.exists():
        pytest.skip(f"{path} is not here; set ANOMALY_DATA to the folder of the data sets")
    return path


def picture(seed, height=8, width=8, channels=3):
    shape = (height, width) if channels == 1 else (height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def encoded(pixels, kind="PNG", **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def png(seed, **shape):
    return encoded(picture(seed, **shape))


def write_parquet(path, images, labels, **columns):
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table({"image": pa.array(images, pa.binary()), "label": labels, **columns})
    pq.write_table(table, path, row_group_size=7)
    return f"parquet:{path}"


def write_shard(path, seeds, features=None, **columns):
    """As the `datasets` library writes one: image a struct {bytes, path}, the features in the schema's metadata."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = pa.array([{"bytes": png(seed), "path": f"{seed}.png"} for seed in seeds])
    table = pa.table({"image": image, **columns})
    if features:
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(table, path, row_group_size=7)


def two_classes(path, per_class=20, **columns):
    n = 2 * per_class
    return write_parquet(path, [png(seed) for seed in range(n)], np.arange(n) % 2, **columns)


def write_folder(root, counts, **shape):
    seed = 0
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            seed += 1
            (root / name / f"{number:03}.png").write_bytes(png(seed, **shape))
    return f"imagefolder:{root}"
