"""The seam to MLflow: the only part of the project that imports it."""
