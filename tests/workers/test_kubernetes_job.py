"""The Job template is held to the schema of Kubernetes and to the command line; no cluster runs it here."""

import copy

import pytest
import yaml
from desk import ROOT
from dotenv import dotenv_values
from services import library

from entry_points.cli import cli

JOB = yaml.safe_load((ROOT / "docker" / "job.yaml").read_text())
POD = JOB["spec"]["template"]["spec"]
(STEP,) = POD["containers"]


@pytest.fixture
def validate():
    schemas = library("kubernetes_validate")
    return lambda job: schemas.validate(job, schemas.latest_version(), strict=True)


def test_the_job_is_what_the_schema_of_kubernetes_says(validate):
    validate(JOB)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("spec", "backoffLimit"), "three"),
        (("spec", "template", "spec", "restart"), "Never"),
        (("spec", "template", "spec", "containers", 0, "env", 0), {"value": "nameless"}),
        (("spec", "template", "spec", "containers", 0, "resources", "memory"), "8Gi"),
    ],
)
def test_a_mistake_in_it_is_found(validate, place, value):
    job = copy.deepcopy(JOB)
    *above, last = place
    part = job
    for key in above:
        part = part[key]
    part[last] = value
    with pytest.raises(Exception, match=r"is not of type|unexpected|required property"):
        validate(job)


def test_its_words_are_a_step_and_options_that_it_has():
    name, *words = STEP["args"]
    assert cli().commands[name].make_context(name, words).params["dataset"] == "digits"


def test_no_secret_stands_in_it_and_the_login_is_mounted_where_it_is_looked_for():
    variables = {one["name"]: one["value"] for one in STEP["env"]}
    assert not [name for name in variables if "PASSWORD" in name or "TOKEN" in name]
    mounts = {mount["mountPath"]: mount["name"] for mount in STEP["volumeMounts"]}
    assert mounts[variables["SECRETS"]] == "login"
    (login,) = (volume for volume in POD["volumes"] if volume["name"] == "login")
    assert login["secret"]["secretName"] == "anomaly-mlflow"


def test_its_image_is_the_one_that_the_compose_file_builds():
    version = dotenv_values(ROOT / "docker" / "settings.env")["MLFLOW_VERSION"]
    assert STEP["image"] == f"anomaly-mlflow-worker:{version}"


def test_what_runs_keep_outlives_the_pod_and_the_next_pod_waits_for_the_lease():
    variables = {one["name"]: one["value"] for one in STEP["env"]}
    mounts = {mount["name"]: mount["mountPath"] for mount in STEP["volumeMounts"]}
    assert variables["ANOMALY_STATE"].startswith(mounts["state"] + "/")
    (state,) = (volume for volume in POD["volumes"] if volume["name"] == "state")
    assert "persistentVolumeClaim" in state
    assert int(POD["initContainers"][0]["command"][1]) >= int(variables["ANOMALY_LEASE"])
    assert POD["restartPolicy"] == "Never"  # a failure policy needs it


def test_it_logs_in_and_writes_where_the_worker_of_the_compose_file_does():
    settings = dotenv_values(ROOT / "docker" / "settings.env")
    worker = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())["services"]["worker"]["environment"]
    variables = {one["name"]: one["value"] for one in STEP["env"]}
    for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_EXPERIMENT_NAME"):
        assert worker[name] == "${WORKER_NAME}" and variables[name] == settings["WORKER_NAME"]
