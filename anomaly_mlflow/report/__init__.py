"""Frames -> figures, gallery, one HTML page."""
