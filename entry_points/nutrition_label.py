"""A data source -> its nutrition label: what is in it, where it is from, how much of it is likely wrong."""

import numpy as np
import pandas as pd

from anomaly_mlflow.data.human_labels import human_labels
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.detection.type_shares import type_shares
from anomaly_mlflow.errors import BadOption
from anomaly_mlflow.report.nutrition import nutrition
from anomaly_mlflow.report.nutrition_page import nutrition_page
from anomaly_mlflow.signals import find
from anomaly_mlflow.signals.confident_counts import calibrated_joint
from anomaly_mlflow.signals.demand import FROM_PASSES
from anomaly_mlflow.tracking.run import Run
from entry_points.environment import environment
from entry_points.given_labels import given_config
from entry_points.injecting import errors_made, injecting
from entry_points.named_runs import all_needs
from entry_points.noise_checks import columns
from entry_points.options import as_typed
from entry_points.probed_labels import PROBING, ProbedLabels, check_probes, probe_labels
from entry_points.resolve import resolve
from entry_points.sample_files import DATA, read_samples
from entry_points.step import STEPS, Upstream, step
from entry_points.trained import check_pretrained

REACH = {"images", "recording", "references", "out_of_fold", *FROM_PASSES}
"""Fields of Evidence that `label_evidence` fills."""

PART = (*(name for name in DATA if name != "dataset"), "labels")


def check_label(options: dict) -> None:
    """Raises what the steps upstream raise for these options, and BadOption for raters or signals that cannot be."""
    above = _upstream_options(options)
    check_pretrained(options)
    check_probes(options)
    if options["raters"]:
        names = columns(options["raters"])
        if len(set(names)) < 2 or len(set(names)) < len(names):
            raise BadOption(f"raters={options['raters']} must name two columns or more, each once: SPEC#COLUMN,COLUMN")
        human_labels(options["raters"], np.empty(0, np.int64), ("",))  # a file that is missing is told before training
    if options["signals"] != "all":
        names = options["signals"].split(",")
        beyond = [name for name in names if not set(find(name).needs) <= REACH]
        if beyond or len(set(names)) < 2:
            why = f"{beyond[0]} needs what this step does not make" if beyond else "correlations need two signals"
            raise BadOption(f"signals={options['signals']}: {why}")
    for name in ("generate_noise", *all_needs(STEPS["generate_noise"], above)):
        STEPS[name].check(above)


@step(
    "nutrition_label",
    own=("inject", "licence", "raters", "signals", *PROBING),
    needs=("generate_noise",),
    trains=True,
    check=check_label,
    narrow=lambda options: (),
)
def nutrition_label(run: Run, options: dict, upstream: Upstream) -> None:
    """Write one page and one JSON file that say what a data set holds, and how much of it is likely wrong."""
    noise = Run(resolve(STEPS["generate_noise"], _upstream_options(options), run)[0])
    samples, test = read_samples(noise, as_anybody_sees_them=True)
    run.log_dataset(samples.images, samples.labels, samples.name, run.tags["anomaly.dataset"], "given labels")
    probed = probe_labels(run, samples, given_config(run, samples, options), options)
    data, config = noise.json("data.json"), noise.json("config.json")
    features, signals = _features(probed, options["signals"])
    label = nutrition(
        samples,
        data["dataset"],
        sha256=data["digests"]["dataset"],
        licence=options["licence"],
        part=_part(config, len(test)),
        injected=_injected(noise),
        rates={"any": probed.errors.prior.share} | type_shares(probed.errors),
        joint=calibrated_joint(probed.probabilities, samples.labels),
        raters=_raters(samples, options["raters"]),
        features=features,
        signals=signals,
    )
    run.log_json(label, "nutrition_label.json")
    facts = as_typed(options, STEPS["nutrition_label"].options) | environment() | {"this run": run.link}
    run.log_text(nutrition_page(label, facts), "report.html")
    run.log_metrics({f"rate.{kind}": one["value"] for kind, one in label["rates"].items()})
    run.log_json({"generate_noise": [noise.id]}, "upstream.json")
    print(_words(label, run))


def _upstream_options(options: dict) -> dict:
    """Nothing is made wrong without inject=yes, and raters have a say in what is hard only where that is asked for."""
    return injecting(options) | ({} if options["hard_by"] == "raters" else {"raters": None})


def _features(probed: ProbedLabels, names: str) -> tuple[pd.DataFrame, list[str]]:
    """The rows that are no probes, and the columns of the signals asked for."""
    features = probed.features[probed.probe == ""]
    if names == "all":
        return features, [name for name in features.columns if name != "sample_id"]
    return features, [find(name).column for name in dict.fromkeys(names.split(","))]


def _part(config: dict, held_out: int) -> dict[str, object]:
    """Which rows the samples are, in the words of the command line."""
    told = as_typed({name: config.get(name) for name in PART}, PART)
    return told | {"rows held out for testing, not described": held_out}


def _injected(noise: Run) -> dict[str, object]:
    """What was put in, by the ledger's count where anything was."""
    if not errors_made(noise):
        return {"errors": "none"}
    counted = noise.json("rates.json")
    return {name: value for name, value in counted.items() if not name.startswith(("count.", "overlap."))}


def _raters(samples: Samples, spec: str | None) -> np.ndarray | None:
    return human_labels(spec, samples.sample_id, samples.classes) if spec else None


def _words(label: dict, run: Run) -> str:
    rates = "\n".join(
        f"{kind:12} {one['value']:6.1%}  [{one['low']:.1%}, {one['high']:.1%}]"
        for kind, one in label["rates"].items()
        if one["low"] is not None
    )
    unknown = ", ".join(label["unknown"]) or "nothing"
    where = f"label: {run.path('nutrition_label.json')}\nrun:   {run.link}"
    return f"\nestimated wrong:\n{rates}\nunknown: {unknown}\n\n{where}"
