"""Experiment tracking for data and label anomalies in deep image classification."""

__version__ = "0.1.0"
