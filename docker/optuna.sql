-- Run once, when the cluster is made: a database for the trials of sweeps, whose user cannot read the runs.
\set password `cat "$SECRETS/optuna_password"`
CREATE ROLE optuna LOGIN PASSWORD :'password';
CREATE DATABASE optuna OWNER optuna;
