import pytest

from anomaly_mlflow.tracking import current


@pytest.fixture(autouse=True)
def nothing_open(monkeypatch):
    monkeypatch.setattr(current, "_open", [])


def test_lines_are_about_the_innermost_run_and_after_it_about_its_parent_again():
    assert current.at() == (None, None)
    current.begin("main", "a")
    current.begin("judge", "b", "a")
    assert current.at() == ("judge", "b")
    current.end("b")
    assert current.at() == ("main", "a")


def test_the_last_lines_are_about_the_outermost_run():
    current.begin("main", "a")
    current.end("a")
    assert current.at() == ("main", "a")


def test_a_run_that_failed_stays_the_one_that_the_error_is_about_until_its_parent_goes_on():
    current.begin("hypotheses", "a")
    current.begin("judge", "b", "a")
    assert current.at() == ("judge", "b")
    current.begin("judge", "c", "a")
    current.end("c")
    assert current.at() == ("hypotheses", "a")


def test_in_a_process_that_does_not_know_the_parent_a_run_is_the_outermost():
    current.begin("train_noisy", "b", "elsewhere")
    current.end("b")
    assert current.at() == ("train_noisy", "b")
