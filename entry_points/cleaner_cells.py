"""From the options of `cleaners` to its noises, and to the options of the runs of each noise and seed."""

from anomaly_mlflow.cleaning.variants import RELABELLED
from anomaly_mlflow.errors import BadOption
from anomaly_mlflow.studies.cleaner_grid import Noise, Retraining, chosen_noises, chosen_retrainings
from entry_points.cleaning_evidence import chosen_cleaners
from entry_points.named_runs import all_needs, is_default
from entry_points.noise_checks import SHARES
from entry_points.repair_labels import check_repair
from entry_points.retrainings import as_options
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
    if noise.convention != "human_confusion":
        changes["confusion"] = None  # what people confuse matters to that noise alone
    first = {name: options[name] for name in ("seed", "training_seed", "retrain_seed")}
    return [
        options | changes | {name: value + number for name, value in first.items()}
        for number in range(options["seeds"])
    ]


def retrainings_of(options: dict) -> list[Retraining]:
    """Raises as `chosen_retrainings`."""
    return chosen_retrainings(options["retrainings"], options["seeds"])


def check_cleaners(options: dict) -> None:
    """Raises BadOption for what `noises` says in place of it, and what repair, noises and retrainings raise."""
    for name in NONE_ELSEWHERE:
        if not is_default(name, options[name]):
            raise BadOption(f"{name}={options[name]} has no effect in cleaners, whose noises are named under noises")
    check_repair(options)
    for noise in noises_of(options):
        for made in options_of(noise, options)[:1]:
            for name in ("score_cleaners", *all_needs(STEPS["score_cleaners"], made)):
                STEPS[name].check(made)
            for one in retrainings_of(options):
                _check_retraining(made | as_options(one))


def _check_retraining(options: dict) -> None:
    """Raises BadOption for a cleaner that is not scored or proposes no labels, and what the steps upstream raise."""
    for name in ("retrain", *all_needs(STEPS["retrain"], options)):
        STEPS[name].check(options)
    kind, _, name = options["variant"].partition(":")
    if not name:
        return
    scored = {one.name: one for one in chosen_cleaners(options["scored"], options["checked"])}
    if name not in scored:
        raise BadOption(f"retrainings: {name} is not among the cleaners that are scored; add it to scored")
    if kind == RELABELLED and not scored[name].repairs:
        raise BadOption(f"retrainings: {name} proposes no labels; write kept:{name}")
