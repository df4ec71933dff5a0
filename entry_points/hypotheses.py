"""Feature tables and ledger -> verdicts on H1, H2, H3, and the table of all signals by type."""

import pandas as pd

from anomaly_mlflow.detection.best import best_of_families
from anomaly_mlflow.detection.by_type import auroc_by_type
from anomaly_mlflow.report.figures import verdict_plot
from anomaly_mlflow.studies.hypotheses import judge, verdict_lines
from anomaly_mlflow.tracking.run import Run
from entry_points.judged import read_judged
from entry_points.step import Upstream, step


def claim_metrics(verdicts: pd.DataFrame) -> dict[str, float]:
    """The measured quantity of each part of a claim, so that the UI compares studies."""
    parts = verdicts[verdicts["metric"].str.contains("auroc") & verdicts["value"].notna()]
    return {f"{row.claim}/{row.arm}.{row.metric}": row.value for row in parts.itertuples()}


@step(
    "hypotheses",
    own=("seed", "seeds", "draws"),
    needs=("generate_noise", "extract_features"),
)
def hypotheses(run: Run, options: dict, upstream: Upstream) -> None:
    """Test H1, H2, H3 on held-out rows, with bootstrap intervals over seeds and source groups, and a verdict each."""
    judged = read_judged(upstream)
    table = auroc_by_type(judged.features, judged.ledger)
    run.log_frame(table.reset_index(), "auroc_by_type.csv")
    run.log_table(table.round(3).reset_index(), "auroc_by_type.json")
    best = best_of_families(judged.features, judged.ledger, judged.groups, table, draws=options["draws"])
    run.log_frame(best, "best_by_family.csv")
    run.log_table(best.round(3), "best_by_family.json")
    verdicts = judge(judged.features, judged.ledger, judged.groups, seed=options["seed"], draws=options["draws"])
    run.log_frame(verdicts, "verdicts.csv")
    run.log_table(verdicts.round(3), "verdicts.json")
    run.log_figure(verdict_plot(verdicts), "verdicts.png")
    run.log_metrics(claim_metrics(verdicts))
    for claim in verdicts[verdicts["metric"] == "verdict"].itertuples():
        run.tag(f"anomaly.verdict.{claim.claim}", claim.verdict)
    if "mlflow.parentRunId" not in run.tags:  # inside the whole study the last step prints
        print(verdict_lines(verdicts))
