"""Signals -> decisions: intervals, classifiers, types, explanations."""
