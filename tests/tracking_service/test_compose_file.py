"""The compose file and the images, as far as they can be held to something without a container."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from shutil import which

import pytest
import yaml
from native_services import DOCKER
from services import need

SERVICES = yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"]
LASTING = ("postgres", "s3", "server")


def program(name):
    """A linter that a package of PyPI brings, beside this Python or on the PATH."""
    found = which(name, path=str(Path(sys.executable).parent)) or which(name)
    need(found is not None, f"{name} is not installed")
    return found


def complaints(*command):
    told = subprocess.run(command, capture_output=True, text=True, cwd=DOCKER.parent)
    return "" if told.returncode == 0 else told.stdout + told.stderr


def schema_complaints(path):
    need(find_spec("check_jsonschema") is not None, "check-jsonschema is not installed")
    return complaints(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path))


def test_the_compose_file_has_the_form_that_the_compose_specification_lays_down():
    assert schema_complaints(DOCKER / "compose.yaml") == ""


def test_the_schema_refuses_a_misspelt_key(tmp_path):
    spoilt = tmp_path / "compose.yaml"
    spoilt.write_text((DOCKER / "compose.yaml").read_text().replace("healthcheck:", "healthchek:", 1))
    assert "healthchek" in schema_complaints(spoilt)


@pytest.mark.parametrize("path", sorted(DOCKER.glob("*.Dockerfile")), ids=lambda path: path.name)
def test_hadolint_finds_nothing_in_an_image(path):
    assert complaints(program("hadolint"), "--failure-threshold", "style", str(path)) == ""


def test_shellcheck_finds_nothing_in_the_scripts():
    assert complaints(program("shellcheck"), "-x", *map(str, sorted(DOCKER.glob("*.sh")))) == ""


def test_the_server_alone_is_published_and_to_this_machine_by_default():
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"server": ["${SERVER_ADDRESS}:${SERVER_PORT}:${SERVER_PORT}"]}
    assert "SERVER_ADDRESS=127.0.0.1\n" in (DOCKER / "settings.env").read_text()


def test_database_and_store_are_on_a_network_without_a_way_out():
    networks = yaml.safe_load((DOCKER / "compose.yaml").read_text())["networks"]
    assert networks["database"] == networks["store"] == {"internal": True}
    assert SERVICES["postgres"]["networks"] == ["database"] and SERVICES["s3"]["networks"] == ["store"]


def test_only_the_server_and_its_tools_are_on_the_network_of_the_store():
    assert {name for name, service in SERVICES.items() if "store" in service["networks"]} == {"s3", "server", "tools"}


@pytest.mark.parametrize("name", LASTING)
def test_the_log_of_what_lasts_does_not_fill_the_disk(name):
    assert SERVICES[name]["logging"] == {"driver": "local"}


@pytest.mark.parametrize("name", LASTING)
def test_what_lasts_starts_again_and_tells_its_health(name):
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert {"test", "interval", "timeout", "retries", "start_period"} <= set(SERVICES[name]["healthcheck"])


def test_the_server_waits_for_the_health_of_what_it_needs():
    needed = {name: entry["condition"] for name, entry in SERVICES["server"]["depends_on"].items()}
    assert needed == {"postgres": "service_healthy", "s3": "service_healthy"}


@pytest.mark.parametrize("name", ["server", "worker", "tools"])
def test_our_containers_have_no_privileges(name):
    assert SERVICES[name]["cap_drop"] == ["ALL"]
    assert SERVICES[name]["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", ["server", "worker"])
def test_our_images_run_as_a_user_who_is_not_root(name):
    lines = (DOCKER / f"{name}.Dockerfile").read_text().splitlines()
    assert [line for line in lines if line.startswith("USER")] == ["USER 1000"]


def test_only_the_services_that_need_a_secret_are_given_it():
    given = {name: set(service["secrets"]) for name, service in SERVICES.items()}
    assert given["worker"] == {"worker_password", "optuna_password"}
    assert given["s3"] == {"s3_access_key", "s3_secret_key"}
    assert given["postgres"] == {"postgres_password", "optuna_password"}
