"""The report of a study as one self-contained HTML page."""

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.detection.by_type import most_separating
from anomaly_mlflow.report import figures, palette, tables, words
from anomaly_mlflow.report.canvas import present
from anomaly_mlflow.report.content import Report
from anomaly_mlflow.report.examples import examples, label_name
from anomaly_mlflow.report.pictures import figure_uri, picture_uri
from anomaly_mlflow.report.template import template

__all__ = ["render"]

EXAMPLES = 8


def render(report: Report) -> str:
    """The page as text: no script, no outside address, all text escaped, pictures as data URIs."""
    return template("report.html.j2").render(
        report=report,
        palette=palette,
        types=report.explanation.types,
        anomalies=[AnomalyType(name) for name in report.auroc.columns],
        cards=words.claim_cards(report.verdicts),
        verdict_line=words.verdict_sentence(report.verdicts),
        facts=words.rate_sentences(report.rates),
        injected=[_injected(report, kind) for kind in present(report.ledger["anomaly_type"].unique())],
        heat=tables.heat_rows(report.auroc),
        note=tables.signal_note,
        verdict_rows=tables.verdict_rows(report.verdicts),
        confusion=tables.confusion(report.explanation, report.ledger["anomaly_type"].to_numpy()),
        figure=_figures(report),
        bars={kind: figure_uri(figures.shap_bars(report.explanation, kind)) for kind in _known(report)},
    )


def _known(report: Report) -> list[AnomalyType]:
    """The types that the type classifier knows."""
    found = report.explanation
    return [kind for position, kind in enumerate(found.types) if found.probability[:, position].any()]


def _figures(report: Report) -> dict[str, str]:
    types = report.ledger["anomaly_type"].to_numpy()
    drawn = {
        "curves": figures.training_curves(report.curves, types),
        "accuracy": figures.test_accuracy(report.curves),
        "distributions": figures.distributions(report.features, report.ledger, most_separating(report.auroc)),
        "verdicts": figures.verdict_plot(report.verdicts),
        "beeswarm": figures.shap_beeswarm(report.explanation),
    }
    return {name: figure_uri(figure) for name, figure in drawn.items()}


def _injected(report: Report, kind: AnomalyType) -> dict[str, object]:
    count = int((report.ledger["anomaly_type"] == kind).sum())
    drawn = examples(report.samples, report.ledger, kind, EXAMPLES)
    return {
        "kind": kind,
        "count": count,
        "share": count / len(report.ledger),
        "examples": [
            {
                "picture": picture_uri(report.samples.images[row]),
                "true": label_name(report.samples, entry["true_label"]),
                "given": label_name(report.samples, entry["given_label"]),
            }
            for row, entry in drawn
        ],
    }
