"""Finished runs of generate_noise, train_noisy and extract_features whose tables are planted: no model is trained."""

import json

import numpy as np
import pandas as pd
import synthetic

from anomaly_mlflow.anomalies.types import AnomalyType as T

COUNTS = {T.CLEAN: 120, T.HARD: 30, T.NEAR_MISS: 30, T.GROSS: 30, T.RANDOM_FLIP: 20, T.OOD: 30}


def plant(desk, seeds=2, counts=COUNTS):
    """Words for the command line that name the runs made in the desk's store."""
    truth = synthetic.ledger(counts)
    labels = pd.DataFrame({"sample_id": truth["sample_id"], "given_label": truth["given_label"]})
    labels["group"] = np.arange(len(truth))
    noise = _run(desk, "generate_noise", {}, {"ledger.parquet": truth, "samples/labels.parquet": labels})
    made = []
    for seed, frame in enumerate(synthetic.features(truth, seeds=seeds)):
        noisy = _run(desk, "train_noisy", {"generate_noise": [noise]}, {}, model="models:/noisy-digits-vit/1")
        above = {"generate_noise": [noise], "train_noisy": [noisy]}
        made.append(_run(desk, "extract_features", above, {"features.parquet": frame}, training_seed=seed))
    return ["--noise_run", noise, "--features_run", ",".join(made)]


def _run(desk, step, upstream, frames, model=None, **config):
    client = desk.client
    run = client.create_run("0", tags={"anomaly.step": step, **({"anomaly.model": model} if model else {})})
    folder = desk.folder / "mlruns" / "planted" / run.info.run_id
    for path, frame in frames.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        frame.to_parquet(folder / path, index=False)
        client.log_artifact(run.info.run_id, str(folder / path), path.rpartition("/")[0] or None)
    for name, value in (("config.json", config), ("upstream.json", upstream)):
        client.log_text(run.info.run_id, json.dumps(value), name)
    client.set_terminated(run.info.run_id, "FINISHED")
    return run.info.run_id
