"""Recording and out-of-fold logits -> files that cleanlab, aum and dataset cartography read."""

import tempfile
from pathlib import Path

from scipy.special import softmax

from anomaly_mlflow.report.peers import write_aum, write_cartography, write_cleanlab
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.epoch_files import read_recording
from anomaly_mlflow.training.recording import Recording
from entry_points.fold_files import read_out_of_fold
from entry_points.sample_files import read_samples
from entry_points.step import Upstream, only, step


@step("export", own=(), needs=("generate_noise", "train_folds", "train_noisy"))
def export(run: Run, options: dict, upstream: Upstream) -> None:
    """Write out-of-fold probabilities for cleanlab, margins for aum, trajectories for dataset cartography."""
    samples, _ = read_samples(only(upstream, "generate_noise"))
    recording = read_recording(only(upstream, "train_noisy").path("recording"))
    logits = read_out_of_fold(only(upstream, "train_folds"), samples.sample_id, samples.num_classes)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_cleanlab(folder / "cleanlab", samples.sample_id, samples.labels, softmax(logits.astype(float), axis=1))
        write_aum(folder / "aum", recording)
        if isinstance(recording, Recording):  # of many classes not all logits were kept
            write_cartography(folder / "cartography", recording)
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            run.log_file(file, str(file.parent.relative_to(folder)))
        written = sorted(path.name for path in folder.iterdir())
    for name in written:
        print(f"{name}: {run.path(name)}")
    if "cartography" not in written:
        print(
            f"cartography: left out, it needs all logits, and of {recording.num_classes} classes the largest are kept"
        )
