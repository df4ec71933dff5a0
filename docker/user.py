"""Users of the server, as its administrator.

user.py add NAME                               a user who may make experiments and models, and sees their own alone
user.py password NAME                          another password; the old one is refused from now on
user.py delete NAME                            what the user made stays
user.py grant NAME experiment|model WHAT LEVEL READ, EDIT, MANAGE or DENY for one experiment or registered model

A new password is asked for, or read from standard input. MLFLOW_TRACKING_URI is the address of the server.
"""

import os
import sys
from getpass import getpass
from pathlib import Path

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.server.auth.client import AuthServiceClient
from requests import RequestException


def main(verb: str = "", *words: str) -> str | None:
    """Carry out one verb; what went wrong, else None."""
    if verb not in VERBS or len(words) != (4 if verb == "grant" else 1):
        return __doc__
    try:
        log_in()
        VERBS[verb](AuthServiceClient(os.environ["MLFLOW_TRACKING_URI"]), *words)
    except KeyError as error:
        return f"set {error.args[0]}: the address of the server"
    except (MlflowException, RequestException, OSError) as error:
        return str(error)
    return None


def log_in() -> None:
    """Be the administrator whose password lies in $SECRETS, where the environment names no login."""
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # MLflow's 7 are four minutes without a word
    if "MLFLOW_TRACKING_PASSWORD" in os.environ:
        return
    secrets = Path(os.environ.get("SECRETS", Path(__file__).with_name("secrets")))
    os.environ.setdefault("MLFLOW_TRACKING_USERNAME", os.environ.get("MLFLOW_AUTH_ADMIN_USERNAME", "admin"))
    os.environ["MLFLOW_TRACKING_PASSWORD"] = (secrets / "admin_password").read_text().strip()


def add(client: AuthServiceClient, name: str) -> None:
    """A user who may make experiments, and sees their own alone."""
    client.create_user(name, new_password(name))


def password(client: AuthServiceClient, name: str) -> None:
    """Another password for a user; the old one is refused from now on."""
    client.update_user_password(name, new_password(name))


def delete(client: AuthServiceClient, name: str) -> None:
    """Remove a user; what they made stays."""
    client.delete_user(name)


def grant(client: AuthServiceClient, name: str, kind: str, what: str, level: str) -> None:
    """What a user may do with one experiment or registered model; replaces what was granted before."""
    if kind not in ("experiment", "model"):
        raise MlflowException(f"'{kind}' is neither experiment nor model")
    found = _experiment_id(client, what) if kind == "experiment" else what
    thing = (name, "experiment" if kind == "experiment" else "registered_model", found)
    try:
        client.grant_user_permission(*thing, level)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
        client.revoke_user_permission(*thing)
        client.grant_user_permission(*thing, level)


def _experiment_id(client: AuthServiceClient, name: str) -> str:
    found = MlflowClient(client.tracking_uri).get_experiment_by_name(name)
    if found is None:
        raise MlflowException(f"no experiment is called '{name}'")
    return found.experiment_id


def new_password(name: str) -> str:
    """Typed unseen, or the first line of standard input."""
    return getpass(f"New password of {name}: ") if sys.stdin.isatty() else sys.stdin.readline().strip()


VERBS = {"add": add, "password": password, "delete": delete, "grant": grant}

if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
