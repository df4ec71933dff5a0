#!/bin/sh
# An entry point as the user of the workers: worker.sh train_noisy --dataset cifar10
set -eu
MLFLOW_TRACKING_PASSWORD=$(cat "$SECRETS/worker_password")
PGPASSWORD=$(cat "$SECRETS/optuna_password") # sweep --storage postgresql+psycopg://optuna@postgres/optuna
export MLFLOW_TRACKING_PASSWORD PGPASSWORD
exec python -m entry_points "$@"
