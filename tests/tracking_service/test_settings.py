"""What is tested is what is shipped: the compose file and the scripts read the same settings."""

import re
import subprocess

import pytest
import yaml
from dotenv import dotenv_values
from native_services import DOCKER

SETTINGS = dotenv_values(DOCKER / "settings.env")
TEXT = (DOCKER / "compose.yaml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
SCRIPTS = sorted([*DOCKER.glob("*.sh"), *DOCKER.glob("*.py"), *DOCKER.glob("*.Dockerfile")])


def seen_by_scripts(folder=DOCKER, **variables):
    """The variables that a script has once it has read the settings."""
    command = f'here={folder}; . "$here/environment.sh"; env -0'
    environment = {"PATH": "/usr/bin:/bin", **variables}
    told = subprocess.run(["sh", "-euc", command], env=environment, capture_output=True, text=True, check=True)
    return dict(line.split("=", 1) for line in told.stdout.split("\0") if line)


def test_the_compose_file_reads_this_settings_file():
    assert (DOCKER / ".env").resolve() == DOCKER / "settings.env"


def test_every_variable_of_the_compose_file_is_in_the_settings_and_every_setting_is_used():
    assert set(re.findall(r"\$\{(\w+)", TEXT)) == set(SETTINGS)


def test_scripts_read_the_values_that_the_compose_file_reads():
    seen = seen_by_scripts()
    assert {name: seen[name] for name in SETTINGS} == SETTINGS


def test_a_value_is_read_to_its_last_sign_also_in_a_last_line_without_its_end(tmp_path):
    text = "S3_PORT=1\n# a remark\n\nORIGINS=https://a.example?b=c&d=\nLAST=*"
    (tmp_path / "settings.env").write_text(text)
    (tmp_path / "environment.sh").write_text((DOCKER / "environment.sh").read_text())
    seen = seen_by_scripts(tmp_path)
    expected = dotenv_values(tmp_path / "settings.env")
    assert expected["ORIGINS"].endswith("d=") and expected["LAST"] == "*"
    assert {name: seen.get(name) for name in expected} == expected


@pytest.mark.parametrize("value", ["7001", ""])
def test_a_variable_of_the_environment_goes_before_the_file(value):
    assert seen_by_scripts(SERVER_PORT=value)["SERVER_PORT"] == value


@pytest.mark.parametrize("service", SERVICES)
def test_a_setting_reaches_a_container_under_its_own_name_and_unchanged(service):
    environment = SERVICES[service].get("environment", {})
    given = {name: value for name, value in environment.items() if name in SETTINGS}
    assert given == {name: f"${{{name}}}" for name in given}


@pytest.mark.parametrize("service", ["server", "tools"])
def test_a_container_is_given_every_setting_that_its_scripts_name(service):
    named = {"server": ("server.sh", "artifacts.py"), "tools": ("backup.sh", "restore.sh", "artifacts.py", "user.py")}
    words = set(re.findall(r"\w+", " ".join((DOCKER / name).read_text() for name in named[service])))
    assert words & set(SETTINGS) <= {*SERVICES[service]["environment"], "SERVER_ADDRESS"}


def test_the_server_is_pinned_to_the_version_of_the_environment():
    pins = yaml.safe_load((DOCKER.parent / "conda.yaml").read_text())["dependencies"][-1]["pip"]
    assert f"mlflow=={SETTINGS['MLFLOW_VERSION']}" in pins
    locked = (DOCKER / "server-requirements.txt").read_text().splitlines()
    assert f"mlflow=={SETTINGS['MLFLOW_VERSION']}" in locked
    (driver,) = [line for line in locked if line.startswith("psycopg==")]
    assert driver.replace("psycopg", "psycopg[binary]") in (DOCKER / "worker.Dockerfile").read_text()


def test_every_script_that_a_container_starts_is_in_its_image_or_mounted():
    mounted = [line.split(":")[0] for service in SERVICES.values() for line in service.get("volumes", ())]
    for path in [line for line in mounted if line.startswith("./") and line != "./backups"]:
        assert (DOCKER / path).is_file(), path
    assert all(path.stat().st_mode & 0o111 for path in DOCKER.glob("*.sh") if path.name != "environment.sh")


def test_no_secret_lies_in_the_settings_or_in_a_file_that_git_keeps():
    assert not [name for name in SETTINGS if re.search("PASSWORD|SECRET|ACCESS_KEY", name)]
    assert {"secrets/", "backups/"} <= set((DOCKER / ".gitignore").read_text().splitlines())
    assert "docker/secrets" in (DOCKER.parent / ".dockerignore").read_text().splitlines()


def test_secrets_are_files_that_one_command_makes_and_no_user_but_the_owner_reaches(tmp_path):
    made_in = {"PATH": "/usr/bin:/bin", "SECRETS": tmp_path / "new"}
    subprocess.run([DOCKER / "secrets.sh"], check=True, env=made_in, umask=0o077)
    made = {path.name: path.read_text() for path in (tmp_path / "new").iterdir()}
    assert set(made) == set(COMPOSE["secrets"])
    assert all(re.fullmatch("[0-9a-f]{48}", text) for text in made.values())
    assert len(set(made.values())) == len(made)
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "new").iterdir()} == {0o644}
    assert {name: f"secrets/{name}" for name in made} == {
        name: entry["file"] for name, entry in COMPOSE["secrets"].items()
    }
