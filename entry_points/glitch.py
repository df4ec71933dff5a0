"""Scores of a training on data with a known glitch, and the truth -> how well each finds it: a cell and a seed."""

import numpy as np

from anomaly_mlflow.detection.contamination import flagged_rows
from anomaly_mlflow.studies.characterisation import characterisation_rows, count_draws, counts_of, repair_rows
from anomaly_mlflow.studies.glitch_kinds import kinds_of
from anomaly_mlflow.studies.glitch_measures import measure_signals
from anomaly_mlflow.studies.glitch_scores import scores_of
from anomaly_mlflow.tracking.run import Run
from entry_points.influence_options import INFLUENCE, scores_file
from entry_points.step import Upstream, only, step

TRUTH = {"sample_id": int, "group": int, "true_label": int, "mislabelled": object, "anomaly": object, "source": object}


@step("glitch", own=(*INFLUENCE, "seed", "training_seed", "draws"), needs=("train_glitched",))
def glitch(run: Run, options: dict, upstream: Upstream) -> None:
    """Measure how well influence signals find a known glitch, by the scores of a model that was trained with it."""
    trained = only(upstream, "train_glitched")
    truth, found = trained.frame("truth.parquet", TRUTH), scores_of(trained.frame(scores_file(options)))
    facts = trained.json("facts.json")
    kinds, groups, known = kinds_of(truth), truth["group"].to_numpy(), facts["contamination"]
    # What was appended is of this seed alone; all other images stand in every seed, clean or not.
    how = {"shared": (truth["source"] == "").to_numpy(), "draws": options["draws"]}
    how |= {"seed": options["seed"], "own_seed": options["training_seed"]}
    measured = measure_signals(found.by_name, kinds, groups, known, **how)
    run.log_frame(measured.values, "measures.csv")
    shown = measured.values.pivot(index="signal", columns="measure", values="value").round(3)
    run.log_table(shown.reset_index(), "measures.json")
    run.log_frame(measured.draws.astype(np.float32), "draws.parquet")
    counted = characterisation_rows(found.by_name["cfrank"], found.called_mislabelled, kinds, known)
    counted |= repair_rows(found.by_name["cnci"], found.repair_label, truth, known)
    run.log_json(counts_of(counted), "counts.json")
    run.log_frame(count_draws(counted, kinds, groups, **how), "count_draws.parquet")
    facts |= {"ceiling": measured.ceiling, "chance": _chance(kinds, known)}
    run.log_json(facts, "facts.json")
    run.log_metrics({name: value for name, value in facts.items() if isinstance(value, int | float)})
    f1 = measured.values[measured.values["measure"] == "f1_known"]
    run.log_metrics({f"f1_known.{row.signal}": row.value for row in f1.itertuples()})


def _chance(kinds: np.ndarray, contamination: float) -> float:
    """Mean F1 of flagging as many rows at random."""
    flagged, errors = flagged_rows(len(kinds), contamination), int((kinds > 0).sum())
    return 2 * flagged * errors / len(kinds) / (flagged + errors)
