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
