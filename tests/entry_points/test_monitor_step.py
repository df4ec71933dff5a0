"""`monitor` on a few hundred digits: a registered model, held-out images, and batches without labels."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from desk import Desk
from image_files import encoded, png, write_parquet

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import AnomalyError, BadData, BadOption, Leakage
from anomaly_mlflow.models import Architecture, build
from anomaly_mlflow.report.drift_page import BLIND_SPOT
from entry_points.monitor import SIGMAS, _examined, check_sources, demonstration
from entry_points.watched import Watched, among, read_batch, read_reference

pytestmark = pytest.mark.filterwarnings("default")

TINY = ["--subset", "200", "--model", "convnet", "--epochs", "2", "--baseline_epochs", "1", "--baseline_folds", "2"]
TINY += ["--folds", "2", "--jobs", "1"]
REGISTERED = ["--registered", "models:/clean-digits-convnet@champion"]
QUIET = {"registered": None, "reference": None, "batch": None}


@pytest.fixture(scope="module")
def monitored(tmp_path_factory):
    """The demonstration; it trains the clean model and registers it."""
    desk = Desk(tmp_path_factory.mktemp("monitor"))
    done = desk.type("monitor", *TINY)
    assert done.returncode == 0, done.stderr[-3000:]
    return desk, done


@pytest.fixture
def watched():
    """A small net that says that it was trained on 60 of 100 random images."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (100, 8, 8, 1), dtype=np.uint8)
    whole = Samples(images, np.arange(100) % 2, np.arange(100), ("0", "1"))
    model = build(Architecture("convnet", (8, 8, 1), 2)).eval()
    return Watched("models:/clean-random-convnet/1", model, whole.take(np.arange(60)), whole.take(np.arange(60, 100)))


def of_images(path, samples, **columns):
    """The images as a Parquet file."""
    return write_parquet(path, [encoded(image.squeeze()) for image in samples.images], samples.labels, **columns)


def refused(done, words):
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.returncode == 1 and len(errors) == 1 and words in errors[0], done.stderr[-2000:]


def test_the_demonstration_leaves_tables_figures_metrics_and_a_page(monitored):
    desk, done = monitored
    run = desk.runs("monitor")[0]
    batches = pd.read_csv(desk.artifact(run.info.run_id, "batches.csv"))
    assert list(batches["batch"]) == ["held-out half", *(f"held-out half, noise {sigma}" for sigma in SIGMAS)]
    assert (batches["images"] + batches["reference_images"]).nunique() == 1 and batches["images"].nunique() == 1
    tests = pd.read_csv(desk.artifact(run.info.run_id, "drift.csv"))
    assert not tests.duplicated(["batch", "quantity", "statistic"]).any()
    assert set(tests["category"]) == {"score", "confidence", "entropy", "embedding"}
    for name in ("drift.json", "batches.json", "drift/0.png", "drift/3.png"):
        assert desk.artifact(run.info.run_id, name).stat().st_size > 200
    page = desk.artifact(run.info.run_id, "report.html").read_text()
    assert BLIND_SPOT in page and "Monitor of models:/clean-digits-convnet/1" in page
    for key in ("psi.energy", "ks.entropy", "ks.component_1", "severity", "alarm"):
        assert [entry.step for entry in desk.client.get_metric_history(run.info.run_id, key)] == [0, 1, 2, 3]
    assert run.data.tags["anomaly.alarm"] == ("yes" if batches["alarm"].any() else "no")
    assert done.stdout.count("alarm: held-out half (") + done.stdout.count("ALARM: held-out half differs") == 1


def test_batches_of_a_registered_model_are_judged_by_their_images_alone(monitored, tmp_path):
    desk, _ = monitored
    trained = len(desk.runs())
    images = [png(seed, channels=1) for seed in range(60)]
    specs = [write_parquet(tmp_path / f"{k}.parquet", images, (np.arange(60) + k) % 3) for k in range(2)]
    bare = pq.read_table(tmp_path / "0.parquet").drop(["label"])
    pq.write_table(bare, tmp_path / "bare.parquet")
    specs.append(f"parquet:{tmp_path}/bare.parquet#label=none")
    done = desk.type("monitor", *REGISTERED, "--batch", "|".join(specs))
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(desk.runs()) == trained + 1 and desk.runs()[0].data.tags["anomaly.alarm"] == "yes"
    tests = pd.read_csv(desk.artifact(desk.runs("monitor")[0].info.run_id, "drift.csv"), index_col="batch")
    first, *others = (tests.loc[spec].reset_index(drop=True) for spec in specs)
    for other in others:  # other labels, or none at all, for the same images: the same to the last bit
        pd.testing.assert_frame_equal(first, other, check_exact=True)
    assert done.stdout.count("ALARM: ") == 3


def test_a_reference_of_training_images_is_refused_and_the_run_has_failed(monitored):
    desk, _ = monitored
    refused(
        desk.type("monitor", *REGISTERED, "--reference", "digits"), "reference images are among the training images"
    )
    assert desk.runs()[0].info.status == "FAILED"


def test_an_option_of_a_training_has_no_effect_beside_a_registered_model(monitored):
    desk, _ = monitored
    refused(desk.type("monitor", *REGISTERED, "--epochs", "3"), "epochs=3 has no effect beside registered=")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"registered": "convnet"}, "registered=convnet is no registered model"),
        ({"reference": "digit"}, "unknown source 'digit'"),
        ({"batch": "digits|imagefolder:/nowhere"}, "/nowhere is no folder"),
        ({"batch": "digits||noise"}, "holds an empty source or one twice"),
        ({"batch": "digits | digits"}, "holds an empty source or one twice"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_anything_is_trained(changed, said):
    check_sources(QUIET)
    with pytest.raises(AnomalyError) as caught:
        check_sources(QUIET | changed)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_the_reference_is_what_was_held_out_unless_another_is_named(watched, tmp_path):
    assert np.array_equal(read_reference(watched, None).images, watched.held_out.images)
    spec = of_images(tmp_path / "few.parquet", watched.held_out.take(np.arange(7)))
    assert np.array_equal(read_reference(watched, spec).images, watched.held_out.images[:7])


def test_a_reference_that_overlaps_the_training_images_is_leakage(watched, tmp_path):
    spec = of_images(tmp_path / "mixed.parquet", watched.trained)
    with pytest.raises(
        Leakage, match="60 of 60 reference images are among the training images of models:/clean-random"
    ):
        read_reference(watched, spec)


def test_training_images_in_a_batch_are_left_out(watched, tmp_path, caplog):
    both = SimpleNamespace(
        images=np.concatenate([watched.trained.images[:5], watched.held_out.images]), labels=np.zeros(45, int)
    )
    batch = read_batch(watched, of_images(tmp_path / "batch.parquet", both))
    assert np.array_equal(batch.images, watched.held_out.images)
    assert "5 of 45 images equal training images; they are left out" in caplog.text
    with pytest.raises(BadData, match="the model was trained on every image"):
        read_batch(watched, of_images(tmp_path / "seen.parquet", watched.trained))


class NoRun:
    def log_dataset(self, *words):
        pass


def test_images_that_stand_in_reference_and_batch_leave_both(watched):
    held_out = watched.held_out
    reference, batch = held_out.take(np.arange(25)), held_out.take(np.arange(20, 40))  # 5 of them stand in both
    [(name, found)] = _examined(NoRun(), watched, reference, [("monday", batch)], seed=0)
    assert name == "monday" and (len(found.reference), len(found.batch)) == (20, 15)
    with pytest.raises(BadData, match="monday: no image is left"):
        list(_examined(NoRun(), watched, reference, [("monday", held_out)], seed=0))


def test_a_model_that_does_not_tell_its_data_needs_a_reference(watched):
    unknown = Watched(watched.name, watched.model, None, None)
    with pytest.raises(BadOption, match="no held-out images of models:/clean-random-convnet/1 are known"):
        read_reference(unknown, None)


def test_the_demonstration_halves_whole_sources(watched):
    held_out = watched.held_out
    grouped = Samples(held_out.images, held_out.labels, held_out.sample_id, held_out.classes, groups=np.arange(40) // 4)
    reference, ((_, clean), _, (_, noisy), _) = demonstration(grouped, seed=0)
    assert not set(reference.groups) & set(clean.groups)
    assert set(reference.sample_id) | set(clean.sample_id) == set(held_out.sample_id)
    assert not among(noisy, clean).any() and np.array_equal(noisy.sample_id, clean.sample_id)
    change = (noisy.images.astype(float) - clean.images) / 255
    inner = (clean.images > 100) & (clean.images < 155)  # far from the clipped ends
    assert change[inner].std() == pytest.approx(0.1, rel=0.1)
    single = Samples(held_out.images, held_out.labels, held_out.sample_id, held_out.classes, groups=np.zeros(40, int))
    with pytest.raises(BadData, match="too few to be halved"):
        demonstration(single, seed=0)
