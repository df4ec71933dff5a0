"""The page of `estimate_errors`: how many labels are wrong, which, and how far to trust that."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.detection.calibration import reliability
from anomaly_mlflow.detection.label_errors import LabelErrors
from anomaly_mlflow.report.canvas import GRID, INK, new_figure, tidy
from anomaly_mlflow.report.page import Section, render_page

__all__ = ["label_error_page", "reliability_diagram"]

SHOWN = 50
LIMITS = (
    "Probes give types, recall and probability, not a better order: on CIFAR-10N they add at most .01 average "
    "precision to the plain mean rank of three signals.",
    "The shape of the probability rests on near misses and instance-dependent probes being as hard to find as people's "
    "errors; its level on the estimated share of wrong labels, the weakest part: the lower of two estimates.",
)


def label_error_page(
    found: LabelErrors,
    samples: Samples,
    wrong: pd.Series | None,
    measured: Mapping[str, float],
    facts: Mapping[str, object],
) -> str:
    """One self-contained page. wrong: bool by sample_id where the truth is known, otherwise None."""
    prior = found.prior
    share = prior.share
    lead = (
        f"An estimated {share.value:.1%} of the labels are wrong (95 % interval of the rows {share.low:.1%} to "
        f"{share.high:.1%}; the two estimates behind it say {prior.by_probes:.1%} and {prior.by_joint:.1%}); "
        f"at 5 % false positives a predicted {found.recall:.0%} of them are found."
    )
    sections = [
        Section("Figures", table=pd.DataFrame({"what": list(measured), "value": list(measured.values())})),
        Section("What this is worth", LIMITS, figures=[] if wrong is None else [_against(found, wrong)]),
        Section("Types of planted errors", table=pd.DataFrame({"type": list(found.types), "F1": found.types.values()})),
        Section(f"The {SHOWN} most suspicious labels", table=_most_suspicious(found, samples)),
    ]
    return render_page(f"Label errors in {samples.name}", lead, sections, facts)


def reliability_diagram(probability: pd.Series, wrong: pd.Series) -> Figure:
    """Share that is wrong against mean probability of error in 15 bins of equal mass."""
    bins = reliability(probability.to_numpy(), wrong.to_numpy())
    figure = new_figure(4.2, 3.8)
    axes = tidy(figure.subplots(), "Probability of error, and how many are wrong")
    axes.plot([0, 1], [0, 1], color=GRID, linewidth=1.5)
    axes.plot(bins["probability"], bins["right"], "o-", color=INK, markersize=5, linewidth=1.2)
    axes.set(xlabel="estimated probability of error", ylabel="share that is wrong", xlim=(0, 1), ylim=(0, 1))
    return figure


def _against(found: LabelErrors, wrong: pd.Series) -> tuple[Figure, str]:
    table = found.table
    figure = reliability_diagram(table["probability_of_error"], wrong.loc[table["sample_id"]])
    return figure, "Untouched rows in 15 bins of equal mass; on the diagonal the probability means what it says."


def _most_suspicious(found: LabelErrors, samples: Samples) -> pd.DataFrame:
    table = found.table.head(SHOWN)
    names = {key: [samples.classes[label] for label in table[key]] for key in ("given_label", "suggested_label")}
    return table.assign(**names)
