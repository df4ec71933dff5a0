"""What a person sees: the MLflow UI over a finished study, and the report, in a real browser."""

import json
import shutil
from urllib.parse import quote

import pytest
from playwright.sync_api import expect, sync_playwright
from real_server import RealServer
from services import need

pytestmark = pytest.mark.filterwarnings("default")

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
FLAGS += ["--disable-background-networking", "--disable-component-update"]
PATIENCE = 60_000


@pytest.fixture(scope="module")
def served(study):
    """The study's desk and the address of a server over its store."""
    desk = study[0]
    server = RealServer(desk.folder)
    server.start()
    yield desk, server.address
    server.kill()


@pytest.fixture(scope="module")
def chromium():
    program = shutil.which("chromium") or shutil.which("google-chrome")
    need(program is not None, "no Chromium is installed (apt-get install chromium)")
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium, request, tmp_path):
    """A page that keeps what it asked for and what its console said; a failing test leaves its picture."""
    page = chromium.new_page(viewport={"width": 1600, "height": 1000})
    page.set_default_timeout(PATIENCE)
    page.asked, page.said = [], []
    page.on("request", lambda asked: page.asked.append(asked.url))
    page.on("console", lambda said: page.said.append(said.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    before = request.session.testsfailed
    yield page
    if request.session.testsfailed > before:
        page.screenshot(path=tmp_path / "failed.png", full_page=True)
    page.close()


def listed(value):
    return quote(json.dumps(value))


def test_the_run_list_shows_the_study_with_its_steps_nested(served, page):
    _, address = served
    page.goto(f"{address}/#/experiments/0/runs?workflowType=machine_learning")
    main = page.get_by_role("link", name="main", exact=True).last
    expect(main).to_be_visible(timeout=PATIENCE)
    assert page.get_by_role("link", name="train_noisy", exact=True).count() == 0
    main.locator("xpath=ancestor::*[@role='row']").get_by_role("button").first.click()
    expect(page.get_by_role("link", name="train_noisy", exact=True)).to_have_count(2, timeout=PATIENCE)
    nothing_from_elsewhere(page, address)


def test_two_noisy_models_stand_side_by_side_with_a_curve_each(served, page):
    desk, address = served
    runs = listed([run.info.run_id for run in desk.oldest("train_noisy", 2)])
    page.goto(f"{address}/#/compare-runs?runs={runs}&experiments={listed(['0'])}")
    expect(page.get_by_text("Comparing 2 Runs from 1 Experiment")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("final_test_accuracy").first).to_be_visible(timeout=PATIENCE)
    keys = f"metric={listed('loss')}&plot_metric_keys={listed(['loss'])}"
    page.goto(f"{address}/#/metric?runs={runs}&experiments={listed(['0'])}&{keys}")
    expect(page.get_by_text("train_noisy (loss)")).to_have_count(2, timeout=PATIENCE)
    nothing_from_elsewhere(page, address)


def test_the_grid_of_the_anomaly_types_is_shown_among_the_artifacts(served, page):
    desk, address = served
    noise = desk.oldest("generate_noise")[0].info.run_id
    page.goto(f"{address}/#/experiments/0/runs/{noise}/artifacts/preview.png?workflowType=machine_learning")
    picture = page.locator("img[src^='blob:'], img[src*='preview.png']").first
    expect(picture).to_be_visible(timeout=PATIENCE)
    assert picture.evaluate("one => one.naturalWidth") > 800
    nothing_from_elsewhere(page, address)


def test_the_report_opens_from_its_file_with_all_pictures_and_says_nothing_to_the_console(served, page):
    desk, _ = served
    page.goto(desk.artifact(desk.oldest("main")[0].info.run_id, "report.html").as_uri())
    expect(page.get_by_role("heading", name="Verdicts", exact=True)).to_be_visible(timeout=PATIENCE)
    assert page.locator("img").count() > 60
    assert all(page.locator("img").evaluate_all("all => all.map(one => one.naturalWidth > 0)"))
    assert page.said == []
    assert [url for url in page.asked if not url.startswith(("file:", "data:"))] == []


def nothing_from_elsewhere(page, address):
    assert [url for url in page.asked if not url.startswith((address, "blob:", "data:"))] == []
