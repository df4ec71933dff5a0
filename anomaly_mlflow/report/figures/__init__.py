"""Figures: matplotlib Figure objects, drawn without pyplot and its global state."""

from anomaly_mlflow.report.figures.cells import cells_plot
from anomaly_mlflow.report.figures.detectors import detector_plot, learning_curve_plot
from anomaly_mlflow.report.figures.shapley import pair_bars, shap_bars, shap_beeswarm
from anomaly_mlflow.report.figures.signals import distributions
from anomaly_mlflow.report.figures.theory import correlation_bars, mean_trajectories, pair_scatter, rate_curve
from anomaly_mlflow.report.figures.training import test_accuracy, training_curves
from anomaly_mlflow.report.figures.types import ablation_plot, confusion_plot, reliability_plot, risk_coverage_plot
from anomaly_mlflow.report.figures.verdicts import verdict_plot

__all__ = [
    "ablation_plot",
    "cells_plot",
    "confusion_plot",
    "correlation_bars",
    "detector_plot",
    "distributions",
    "learning_curve_plot",
    "mean_trajectories",
    "pair_bars",
    "pair_scatter",
    "rate_curve",
    "reliability_plot",
    "risk_coverage_plot",
    "shap_bars",
    "shap_beeswarm",
    "test_accuracy",
    "training_curves",
    "verdict_plot",
]
