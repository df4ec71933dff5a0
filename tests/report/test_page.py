from html.parser import HTMLParser

import pandas as pd
from matplotlib.figure import Figure

from anomaly_mlflow.report.page import Section, render_page


def test_a_page_shows_its_sections_and_escapes_what_strangers_named():
    frame = pd.DataFrame(
        {"class": ["<script>alert(1)</script>"], "AUROC": [0.91234], "n": [1200], "low": [float("nan")]}
    )
    page = render_page("A & B", "lead", [Section("First", ["said"], [(Figure(), "a figure")], frame)], {"seed": 3})
    assert "<script>" not in page and "&lt;script&gt;" in page and "A &amp; B" in page
    assert "0.912" in page and "1,200" in page and "nan" not in page.split("</style>")[1]
    assert page.count("data:image/png") == 1 and "http" not in page


def test_no_text_of_a_stranger_becomes_markup_wherever_it_stands():
    hostile = '"><img src=x onerror=alert(1)><script>alert(2)</script>{{ 7 * 191 }}'
    frame = pd.DataFrame({hostile: [hostile]})
    section = Section(hostile, [hostile], [(Figure(), hostile)], frame)
    page = render_page(hostile, hostile, [section], {hostile: hostile})
    tags = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            tags.append((tag, [name for name, _ in attrs]))

    Reader().feed(page)
    assert [attrs for tag, attrs in tags if tag == "img"] == [["src", "alt"]]
    assert not [tag for tag, attrs in tags if tag == "script" or any(name.startswith("on") for name in attrs)]
    assert "1337" not in page
