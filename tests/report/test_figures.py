import io

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image
from planted_types import type_parts

from anomaly_mlflow.anomalies.types import MADE, AnomalyType
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.report import figures
from anomaly_mlflow.report.curves import Curves
from anomaly_mlflow.report.preview import preview_grid


def drawn(figure):
    """The picture is not empty."""
    assert isinstance(figure, Figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=40)
    assert np.ptp(np.asarray(Image.open(buffer).convert("L"))) > 100
    return figure


def texts(axes):
    return [label.get_text() for label in (*axes.get_xticklabels(), *axes.get_yticklabels())]


def every_figure(report):
    types = report.ledger["anomaly_type"].to_numpy()
    yield figures.training_curves(report.curves, types)
    yield figures.test_accuracy(report.curves)
    yield figures.distributions(report.features, report.ledger, report.auroc.index[:5])
    yield figures.verdict_plot(report.verdicts)
    yield figures.shap_bars(report.explanation, AnomalyType.HARD)
    yield figures.shap_beeswarm(report.explanation)
    parts, (curves, points), pairs = type_parts()
    yield figures.pair_bars(pairs)
    yield figures.confusion_plot(parts["confusion"])
    yield figures.reliability_plot(dict(tuple(parts["calibration"].groupby("of"))))
    yield figures.risk_coverage_plot(curves, points)
    yield figures.ablation_plot(parts["ablation"])
    yield preview_grid(report.samples, report.ledger, per_type=3)


def test_every_figure_is_drawn(report):
    for figure in every_figure(report):
        drawn(figure)


def test_every_figure_bears_a_missing_type(without_hard):
    for figure in every_figure(without_hard):
        drawn(figure)


def test_every_figure_shows_human_errors_where_there_are_some(with_human_errors):
    for figure in every_figure(with_human_errors):
        drawn(figure)
    types = with_human_errors.ledger["anomaly_type"].to_numpy()
    assert len(figures.training_curves(with_human_errors.curves, types).axes[0].lines) == 7
    titles = [axes.get_title(loc="left") for axes in figures.shap_beeswarm(with_human_errors.explanation).axes]
    assert titles[6] == "human error" and len([axes for axes in titles if axes]) == 7


def test_every_public_figure_is_tried_here(report):
    assert len(list(every_figure(report))) == len(figures.__all__) + 1


def test_no_global_state_is_touched(report):
    before = dict(matplotlib.rcParams)
    list(every_figure(report))
    assert dict(matplotlib.rcParams) == before


def test_curves_are_the_means_of_the_types(report):
    types = report.ledger["anomaly_type"].to_numpy()
    left, right = figures.training_curves(report.curves, types).axes
    gross = next(line for line in left.lines if line.get_label() == "gross")
    assert gross.get_ydata() == pytest.approx(report.curves[0].loss[:, types == AnomalyType.GROSS].mean(axis=1))
    assert len(right.lines) == 6


def test_a_single_epoch_is_drawn_too(report):
    types = report.ledger["anomaly_type"].to_numpy()
    one = [Curves(seed.loss[:1], seed.confidence[:1], seed.test_accuracy[:1]) for seed in report.curves]
    drawn(figures.training_curves(one, types))


def test_a_signal_that_is_constant_has_a_box(report):
    frames = [frame.assign(**{"label.loss": 1.0}) for frame in report.features]
    drawn(figures.distributions(frames, report.ledger, ["label.loss"]))


def test_the_verdict_plot_has_one_line_for_each_part(report, without_hard):
    upper, lower = figures.verdict_plot(report.verdicts).axes
    assert len(upper.get_yticks()) == 4
    assert len(lower.get_yticks()) == 2
    assert "H3  dynamics - control: near miss vs hard (no vote)" in texts(lower)
    assert [text.get_text().strip() for text in figures.verdict_plot(without_hard.verdicts).axes[1].texts] == [
        "too few rows or sources"
    ] * 2


def test_the_verdict_plot_shows_a_value_without_an_interval_and_says_why(report):
    frame = report.verdicts.copy()
    frame.loc[1, ["value", "low", "high"]] = [0.1, np.nan, np.nan]
    upper = drawn(figures.verdict_plot(frame)).axes[0]
    assert [text.get_text().strip() for text in upper.texts] == ["too few independent sources"]
    assert upper.get_xlim()[0] < 0.1


def test_the_verdict_plot_reads_a_frame_that_went_through_a_csv_file(report, tmp_path):
    report.verdicts.to_csv(tmp_path / "verdicts.csv", index=False)
    drawn(figures.verdict_plot(pd.read_csv(tmp_path / "verdicts.csv")))


def test_bars_show_the_strongest_signal_on_top(report):
    axes = figures.shap_bars(report.explanation, "ood").axes[0]
    strength = np.abs(report.explanation.values[:, :, 5]).mean(axis=0)
    assert axes.get_yticklabels()[-1].get_text() == report.explanation.columns[strength.argmax()]
    assert axes.patches[-1].get_width() == pytest.approx(strength.max())


def test_the_preview_shows_pictures_of_their_own_type(report):
    figure = preview_grid(report.samples, report.ledger, per_type=2)
    shown = [np.asarray(axes.images[0].get_array()) for axes in figure.axes]
    ids = report.samples.sample_id[[np.argmax((report.samples.images == one).all(axis=(1, 2, 3))) for one in shown]]
    types = report.ledger.set_index("sample_id").loc[ids, "anomaly_type"].tolist()
    assert types == np.repeat([str(kind) for kind in MADE], 2).tolist()


def test_a_sample_that_is_not_there_is_named(report):
    with pytest.raises(BadData, match="is not in 'planted'"):
        preview_grid(report.samples.take(np.arange(3)), report.ledger)
