import pytest
from native_services import native_services


@pytest.fixture(scope="session")
def services():
    """The services, running, with two users, each with an experiment that has a run with an artifact."""
    with native_services() as running:
        for user in ("alice", "bob"):
            running.api("users/create", username=user, password=f"password-of-{user}")
        running.owned = {user: planted(running, user) for user in ("alice", "bob")}
        yield running


def planted(services, user):
    """Experiment, run, and path of an artifact through the server."""
    experiment = services.api("experiments/create", user, name=f"experiment of {user}")["experiment_id"]
    run = services.api("runs/create", user, experiment_id=experiment)["run"]["info"]["run_id"]
    path = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/note.txt"
    assert services.call(path, user, "PUT", data=f"note of {user}".encode()).ok
    return {"experiment": experiment, "run": run, "path": path}
