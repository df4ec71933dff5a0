"""The steps that `mlflow run . -e NAME` runs: one file each."""
