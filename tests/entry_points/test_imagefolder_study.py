import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_digits

pytestmark = pytest.mark.filterwarnings("default")


def write_folder(path):
    """Three classes of colour pictures of two sizes, in folders that bear hostile and plain names."""
    digits = load_digits()
    names = {0: "zero", 1: "<b>one</b>", 2: "two & more"}
    for number, (image, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        if label in names:
            grey = np.uint8(image * 255 / 16)
            picture = Image.fromarray(np.stack([grey, grey // 2, 255 - grey], axis=2))
            folder = path / names[label].replace("/", "")
            folder.mkdir(parents=True, exist_ok=True)
            picture.resize((16, 16) if number % 50 else (20, 14)).save(folder / f"{number:04d}.png")


def test_the_study_runs_on_a_folder_of_pictures_with_a_vision_transformer(desk, tmp_path):
    write_folder(tmp_path / "shapes")
    words = ["--dataset", f"imagefolder:{tmp_path / 'shapes'}", "--model", "vit", "--epochs", "2"]
    done = desk.type("main", *words, "--baseline_epochs", "2", "--folds", "2", "--seeds", "1", "--draws", "100")
    assert done.returncode == 0, done.stderr[-3000:]
    main = desk.runs("main")[0]
    assert main.data.tags["anomaly.dataset"].startswith("imagefolder:")
    assert len(pd.read_parquet(desk.artifact(main.info.run_id, "features.parquet"))) > 400
    assert desk.client.get_model_version_by_alias("noisy-shapes-vit", "champion")
    page = desk.artifact(main.info.run_id, "report.html").read_text()
    assert "two &amp; more" in page and "<b>one" not in page
