"""`python -m entry_points.signals_page` prints docs/signals.md: the signals as the registry knows them."""

from anomaly_mlflow.signals.catalogue import catalogue

if __name__ == "__main__":
    print(catalogue(), end="")
