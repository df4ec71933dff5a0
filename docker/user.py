"""Users of the server, as its administrator: `user.py add|password|delete NAME`, `user.py grant NAME EXPERIMENT LEVEL`.

New passwords are asked for, or read from standard input. LEVEL is READ, EDIT, MANAGE or DENY.
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
    if verb not in VERBS or len(words) != (3 if verb == "grant" else 1):
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
    secrets = Path(os.environ.get("SECRETS", Path(__file__).with_name("secrets")))
    os.environ.setdefault("MLFLOW_TRACKING_USERNAME", os.environ.get("MLFLOW_AUTH_ADMIN_USERNAME", "admin"))
    os.environ.setdefault("MLFLOW_TRACKING_PASSWORD", (secrets / "admin_password").read_text().strip())


def add(client: AuthServiceClient, name: str) -> None:
    """A user who may make experiments, and sees their own alone."""
    client.create_user(name, new_password(name))


def password(client: AuthServiceClient, name: str) -> None:
    """Another password for a user; the old one is refused from now on."""
    client.update_user_password(name, new_password(name))


def delete(client: AuthServiceClient, name: str) -> None:
    """Remove a user; what they made stays."""
    client.delete_user(name)


def grant(client: AuthServiceClient, name: str, experiment: str, level: str) -> None:
    """What a user may do in one experiment, given by its name; replaces what was granted before."""
    found = MlflowClient(client.tracking_uri).get_experiment_by_name(experiment)
    if found is None:
        raise MlflowException(f"no experiment is called '{experiment}'")
    what = (name, "experiment", found.experiment_id)
    try:
        client.grant_user_permission(*what, level)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
        client.revoke_user_permission(*what)
        client.grant_user_permission(*what, level)


def new_password(name: str) -> str:
    """Typed unseen, or the first line of standard input."""
    return getpass(f"New password of {name}: ") if sys.stdin.isatty() else sys.stdin.readline().strip()


VERBS = {"add": add, "password": password, "delete": delete, "grant": grant}

if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
