"""From the options of `cleaners` to its noises, and to the options of the runs of each noise and seed."""

from anomaly_mlflow.errors import BadOption
from anomaly_mlflow.studies.cleaner_grid import Noise, chosen_noises, chosen_retrainings
from entry_points.named_runs import all_needs, is_default
from entry_points.noise_checks import SHARES
from entry_points.retrain import check_retrain
from entry_points.step import STEPS

__all__ = ["check_cleaners", "noises_of", "options_of", "retrainings_of"]

NAMED = ("baseline_run", "noise_run", "folds_run", "noisy_run", "thresholds_run", "scores_run")
NONE_ELSEWHERE = (*SHARES.values(), "convention", *NAMED)


def noises_of(options: dict) -> list[Noise]:
    """Raises as `chosen_noises`."""
    return chosen_noises(options["noises"], options["labels"])


def options_of(noise: Noise, options: dict) -> list[dict]:
    """The options of the noise's `score_cleaners` runs, one for each seed: another draw of everything, and training."""
    changes = {name: 0.0 for name in SHARES.values()} | {
        "labels": noise.labels,
        "convention": "none",
        "repairs_run": None,
    }
    if noise.convention:
        changes |= {"convention": noise.convention, "convention_rate": noise.rate}
    first = {name: options[name] for name in ("seed", "training_seed", "retrain_seed")}
    return [
        options | changes | {name: value + number for name, value in first.items()}
        for number in range(options["seeds"])
    ]


def retrainings_of(options: dict) -> list[dict]:
    """Learner and variant of each retraining, as options."""
    return [{"learner": learner, "variant": variant} for learner, variant in chosen_retrainings(options["retrainings"])]


def check_cleaners(options: dict) -> None:
    """Raises BadOption for what `noises` says in place of it, and what the steps of every noise raise."""
    for name in NONE_ELSEWHERE:
        if not is_default(name, options[name]):
            raise BadOption(f"{name}={options[name]} has no effect in cleaners, whose noises are named under noises")
    for noise in noises_of(options):
        for made in options_of(noise, options)[:1]:
            for name in ("score_cleaners", *all_needs(STEPS["score_cleaners"], made)):
                STEPS[name].check(made)
            for one in retrainings_of(options):
                check_retrain(made | one)
