"""Figures: matplotlib Figure objects, drawn without pyplot and its global state."""

from anomaly_mlflow.report.figures.shapley import pair_bars, shap_bars, shap_beeswarm
from anomaly_mlflow.report.figures.signals import distributions
from anomaly_mlflow.report.figures.training import test_accuracy, training_curves
from anomaly_mlflow.report.figures.types import ablation_plot, confusion_plot, reliability_plot, risk_coverage_plot
from anomaly_mlflow.report.figures.verdicts import verdict_plot

__all__ = [
    "ablation_plot",
    "confusion_plot",
    "distributions",
    "pair_bars",
    "reliability_plot",
    "risk_coverage_plot",
    "shap_bars",
    "shap_beeswarm",
    "test_accuracy",
    "training_curves",
    "verdict_plot",
]
