"""How often the client tries, counted by a server that is out of order."""

import logging
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from anomaly_mlflow.errors import ServerUnavailable
from anomaly_mlflow.tracking.attempts import FIRST_CONTACT, ONCE_MET, RETRIES, SILENCE, leaving_server, met_server
from anomaly_mlflow.tracking.outbox import Outbox
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.tracking.server import clear_errors, client

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def broken(monkeypatch):
    """A server that answers everything with `broken.status` and counts."""

    class Broken(BaseHTTPRequestHandler):
        def answer(self):
            self.server.requests += 1
            self.send_response(self.server.status)
            self.send_header("Content-Length", "0")
            self.send_header("Connection", "close")
            self.end_headers()

        do_GET = do_POST = do_PUT = answer

        def log_message(self, *words):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Broken)
    server.requests, server.status = 0, 503
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", "0")
    monkeypatch.setenv("_MLFLOW_HTTP_REQUEST_MAX_RETRIES_LIMIT", "10")
    monkeypatch.setenv(RETRIES, FIRST_CONTACT)
    monkeypatch.setattr("anomaly_mlflow.tracking.attempts.PAUSE", "0")
    yield server
    server.shutdown()
    server.server_close()


def attempts(server):
    server.requests = 0
    with pytest.raises(ServerUnavailable), clear_errors():
        client().search_experiments()
    return server.requests


def test_the_first_contact_is_tried_for_half_a_minute_later_calls_for_minutes_and_the_last_ones_hardly(broken):
    assert attempts(broken) == 5
    met_server()
    assert attempts(broken) == int(ONCE_MET) + 1
    leaving_server()
    assert attempts(broken) == 2


def test_a_number_of_attempts_that_the_user_chose_is_kept(broken, monkeypatch):
    monkeypatch.setenv(RETRIES, "2")
    met_server()
    assert attempts(broken) == 3


def test_a_server_that_does_not_answer_is_named_in_one_line_and_not_at_each_attempt(broken, caplog, monkeypatch):
    (one_line,) = [each for each in logging.getLogger("urllib3.connectionpool").filters if hasattr(each, "last_said")]
    monkeypatch.setattr(one_line, "last_said", -SILENCE)  # whatever other tests let it say
    broken.shutdown()
    broken.server_close()
    with caplog.at_level(logging.WARNING):
        assert attempts(broken) == 0
        assert attempts(broken) == 0
    assert [record.getMessage() for record in caplog.records] == ["127.0.0.1 does not answer; trying again"]


@pytest.mark.parametrize(
    ("status", "line"), [(401, "refuses the login: set MLFLOW"), (403, "does not allow this user to do that")]
)
def test_a_refusal_ends_the_sending_at_once(broken, tmp_path, status, line):
    broken.status = status
    outbox = Outbox(Run("0" * 32), tmp_path)
    outbox.put(0, {"loss": 1.0}, [])
    with pytest.raises(ServerUnavailable, match=line):
        outbox.drain()
    outbox.close()
