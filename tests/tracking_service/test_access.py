"""Who may do what at the server, and what it refuses whoever asks."""

import http.client
import subprocess
from base64 import b64encode
from contextlib import suppress
from pathlib import Path

import pytest
import requests
from native_services import DOCKER

SEARCH = "/api/2.0/mlflow/experiments/search?max_results=10"
OUTSIDE = [
    "../../../../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/etc/passwd",
    "%252e%252e%252fx",
]


def raw(services, method, path, body=None, **headers):
    """Status of a request whose path and headers arrive as they are written here."""
    connection = http.client.HTTPConnection("127.0.0.1", services.ports["server"], timeout=60)
    login = b64encode(f"admin:{services.secret('admin_password')}".encode()).decode()
    connection.request(method, path, body, {"Authorization": f"Basic {login}", **headers})
    response = connection.getresponse()
    text = response.read()
    connection.close()
    return response.status, text


@pytest.mark.parametrize(
    "path", [SEARCH, "/", "/api/2.0/mlflow-artifacts/artifacts", "/get-artifact?path=a&run_uuid=b"]
)
def test_without_a_login_nothing_is_shown(services, path):
    assert services.call(path, user="").status_code == 401


@pytest.mark.parametrize("user", ["admin", "alice", "nobody"])
def test_a_wrong_password_is_refused(services, user):
    assert requests.get(services.address + SEARCH, auth=(user, "wrong-password-1"), timeout=60).status_code == 401


def test_ones_own_experiment_is_open_and_anothers_is_closed(services):
    mine, other = services.owned["alice"], services.owned["bob"]
    for what, path in {
        "experiment": "/api/2.0/mlflow/experiments/get?experiment_id={experiment}",
        "run": "/api/2.0/mlflow/runs/get?run_id={run}",
        "list": "/api/2.0/mlflow/artifacts/list?run_id={run}",
        "artifact": "{path}",
        "store": "/api/2.0/mlflow-artifacts/artifacts?path={experiment}/{run}/artifacts",
        "page": "/get-artifact?path=note.txt&run_uuid={run}",
    }.items():
        assert services.call(path.format(**mine), "alice").status_code == 200, what
        assert services.call(path.format(**other), "alice").status_code == 403, what


def test_the_root_of_the_store_is_the_administrators(services):
    root = "/api/2.0/mlflow-artifacts/artifacts"
    assert services.call(root).status_code == 200
    assert services.call(root, "alice").status_code == 403


def test_nobody_writes_into_the_experiment_of_another(services):
    other = services.owned["bob"]
    assert services.call(other["path"], "alice", "PUT", data=b"spoilt").status_code == 403
    assert services.call(other["path"], "alice", "DELETE").status_code == 403
    metric = {"run_id": other["run"], "key": "loss", "value": 1.0, "timestamp": 1}
    assert services.call("/api/2.0/mlflow/runs/log-metric", "alice", "POST", json=metric).status_code == 403
    run = {"experiment_id": other["experiment"]}
    assert services.call("/api/2.0/mlflow/runs/create", "alice", "POST", json=run).status_code == 403
    assert services.call(other["path"], "bob").content == b"note of bob"


def test_a_search_over_all_experiments_leaves_out_those_of_others(services):
    ids = [services.owned[user]["experiment"] for user in ("alice", "bob")]
    found = services.call("/api/2.0/mlflow/runs/search", "alice", "POST", json={"experiment_ids": ids})
    runs = [run["info"]["run_id"] for run in found.json().get("runs", [])]
    assert services.owned["bob"]["run"] not in runs
    names = [each["name"] for each in services.call(SEARCH, "alice").json()["experiments"]]
    assert "experiment of alice" in names and "experiment of bob" not in names


@pytest.mark.parametrize("outside", OUTSIDE)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_the_name_of_an_artifact_cannot_leave_its_root(services, method, outside):
    root = services.owned["alice"]["path"].removesuffix("/note.txt")
    status, text = raw(services, method, f"{root}/{outside}", b"spoilt" if method == "PUT" else None)
    assert status == 400, (status, text)


@pytest.mark.parametrize("outside", ["../../..", "/etc", "a/../../b"])
def test_the_path_of_a_list_or_a_download_cannot_leave_its_run(services, outside):
    run = services.owned["alice"]["run"]
    listing = {"run_id": run, "path": outside}
    assert services.call("/api/2.0/mlflow/artifacts/list", params=listing).status_code == 400
    download = {"run_uuid": run, "path": outside}
    assert services.call("/get-artifact", params=download).status_code == 400


@pytest.mark.parametrize(
    "source",
    ["/etc", "file:///etc", "mlflow-artifacts:/../../etc", "s3://mlflow/artifacts{other}", "mlflow-artifacts:{other}"],
)
def test_a_model_version_cannot_point_at_what_is_not_its_runs(services, source):
    other = services.owned["bob"]
    place = source.format(other=f"/{other['experiment']}/{other['run']}/artifacts")
    services.call("/api/2.0/mlflow/registered-models/create", "alice", "POST", json={"name": "model of alice"})
    version = {"name": "model of alice", "source": place, "run_id": services.owned["alice"]["run"]}
    response = services.call("/api/2.0/mlflow/model-versions/create", "alice", "POST", json=version)
    assert response.status_code == 400, response.text


@pytest.mark.parametrize(
    "place",
    [
        "{folder}/secrets",
        "file://{folder}/secrets",
        "s3://mlflow/artifacts/{experiment}/{run}/artifacts/recording/epoch=0003",
        "mlflow-artifacts:/{experiment}/{run}/artifacts",
        "http://127.0.0.1:1/elsewhere",
    ],
)
def test_no_experiment_is_placed_on_the_disk_of_the_server_or_in_the_runs_of_another(services, place):
    experiment = {"name": place, "artifact_location": place.format(folder=services.folder, **services.owned["bob"])}
    made = services.call("/api/2.0/mlflow/experiments/create", "alice", "POST", json=experiment)
    assert made.status_code == 400, made.text


@pytest.mark.parametrize("way", ["page", "store"])
def test_a_page_that_a_user_sent_is_saved_by_a_browser_and_never_run_as_one_of_the_server(services, way):
    mine = services.owned["alice"]
    path = mine["path"].replace("note.txt", "report.html")
    assert services.call(path, "alice", "PUT", data=b"<script>alert(1)</script>").ok
    page = services.call(path if way == "store" else f"/get-artifact?path=report.html&run_uuid={mine['run']}")
    assert page.status_code == 200
    assert page.headers["Content-Disposition"].startswith("attachment")
    assert page.headers["X-Content-Type-Options"] == "nosniff"


def test_a_foreign_host_is_refused(services):
    port = services.ports["server"]
    assert raw(services, "GET", SEARCH, Host=f"localhost:{port}")[0] == 200
    assert raw(services, "GET", SEARCH, Host="evil.example")[0] == 403


def test_a_page_of_a_foreign_site_cannot_write(services):
    body, kind = b'{"name": "from elsewhere"}', {"Content-Type": "application/json"}
    create = "/api/2.0/mlflow/experiments/create"
    assert raw(services, "POST", create, body, Origin="http://evil.example", **kind)[0] == 403
    assert raw(services, "POST", create, body, Origin="http://localhost:3000", **kind)[0] == 200


def test_without_an_admin_password_the_server_does_not_start(services, tmp_path):
    names = ("postgres_password", "s3_access_key", "s3_secret_key", "flask_secret_key", "admin_password")
    for name in names:
        (tmp_path / name).write_text("" if name == "admin_password" else services.secret(name))
    environment = {**services.environment(), "SECRETS": str(tmp_path)}
    command = [DOCKER / "native.sh", services.folder, "server"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode != 0
    assert ended.stderr == f"{tmp_path}/admin_password is missing or empty; docker/secrets.sh makes what is missing\n"


def test_no_secret_is_on_a_command_line_or_in_a_log(services):
    written = [path.read_text(errors="replace") for path in (services.folder / "logs").iterdir()]
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # a process may have ended meanwhile
            written.append(path.read_text(errors="replace"))
    assert any("--app-name\0basic-auth" in text for text in written)
    secrets = {path.name: path.read_text() for path in (services.folder / "secrets").iterdir()}
    assert [name for name, secret in secrets.items() if any(secret in text for text in written)] == []
