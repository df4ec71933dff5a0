import re
from html.parser import HTMLParser

import numpy as np
import pytest
from planted_report import HOSTILE

from anomaly_mlflow.report.html import render
from anomaly_mlflow.report.tables import verdict_rows
from anomaly_mlflow.report.words import claim_cards, rate_sentences

SECTIONS = ["verdicts", "injected", "training", "signals", "distributions", "numbers", "types", "gallery", "made"]
VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Tags, ids and addresses; fails on a tag closed out of turn."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.ids, self.addresses, self.words = [], set(), [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.open += [] if tag in VOID else [tag]
        self.ids += [value for name, value in attrs if name == "id"]
        self.addresses += [value for name, value in attrs if name in ("src", "href", "action", "srcset", "poster")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def text(report):
    return render(report)


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def test_all_sections_are_there_and_the_contents_lead_to_them(page):
    assert [name for name in page.ids if name != "top"] == SECTIONS
    assert [address for address in page.addresses if address.startswith("#")] == [f"#{name}" for name in SECTIONS]


def test_the_page_needs_nothing_from_outside(text, page):
    assert all(address.startswith(("#", "data:image/png;base64,")) for address in page.addresses)
    assert not re.search(r"@import|url\(|<link|<base|<iframe|<object|<form", text)


def test_there_is_no_script(text, page):
    assert "script" not in page.tags
    assert not re.search(r"<[^>]+\son\w+\s*=", text)


def test_a_hostile_class_name_is_text(text, page):
    assert HOSTILE not in text
    assert "&lt;script&gt;alert(" in text
    assert any(HOSTILE in words for words in page.words)


def test_every_claim_every_signal_and_every_suspect_is_shown(report, page):
    words = " ".join(page.words)
    for card in claim_cards(report.verdicts):
        assert card["claim"].title in words and card["claim"].statement in words and card["said"] in words
    assert all(name in words for name in report.auroc.index)
    assert all(f"no. {entry.sample_id}," in words for entries in report.gallery.values() for entry in entries)
    assert "25.0% of all images" in words and "other: 2" in words
    assert "python" in words and "http://localhost:5000/#/runs/1" in words


def test_a_missing_type_leaves_a_whole_page(without_hard):
    words = " ".join(Page(render(without_hard)).words)
    assert "too few rows or sources to say" in words
    assert "The data does not settle this." in words
    assert "nan" not in re.sub(r"[a-z]*nan[a-z]+", "", words)


def test_the_sentence_of_a_part_tells_value_interval_and_need(report):
    cards = {card["claim"].name: card for card in claim_cards(report.verdicts)}
    sentence, verdict = cards["H1"]["sentences"][0]
    row = report.verdicts.iloc[0]
    assert sentence.startswith(f"Telling gross errors from clean images by geometry: AUROC {row['value']:.3f} (95 %")
    assert "at least 0.90" in sentence and verdict == row["verdict"]
    control, verdict = cards["H3"]["sentences"][1]
    assert "no vote" in control and "dynamics.final_loss" in control and verdict == ""


def test_a_part_without_an_interval_says_why(report):
    frame = report.verdicts.copy()
    frame.loc[1, ["low", "high", "verdict"]] = [np.nan, np.nan, "undecided"]
    sentence, verdict = claim_cards(frame)[0]["sentences"][1]
    assert f"AUROC {frame['value'][1]:.3f} (no interval: too few independent sources; the claim needs" in sentence
    assert verdict == "undecided" and verdict_rows(frame)[1]["ends"] == "too few sources"


def test_the_verdicts_say_what_the_intervals_leave_out(page):
    words = re.sub(r"\s+", " ", " ".join(page.words))
    assert "the intervals of H1 do not contain the randomness of its training" in words


def test_human_errors_are_on_the_page_only_where_there_are_some(text, with_human_errors):
    assert "human error" not in text.lower() and "all six types" not in text and "learns all 6 types" in text
    whole = render(with_human_errors)
    words = " ".join(Page(whole).words)
    assert "people gave the image a wrong label" in words and "called human error" in words
    assert "learns all 7 types" in words and 'alt="Strongest signals for human error"' in whole


def test_a_convention_is_told_with_the_rate_asked_and_the_real_one():
    rates = {"convention": "symmetric", "convention.replaces": "gross", "convention.rate_asked": 0.2}
    sentences = rate_sentences({"label_noise": 0.18, **rates, "convention.rate_real": 0.18})
    assert len(sentences) == 2
    assert "by the convention symmetric of other papers" in sentences[1]
    assert "rate asked 20.0%, labels really changed 18.0%" in sentences[1]
