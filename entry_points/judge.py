"""Feature tables and ledger -> verdicts on H1, H2, H3 in one study, and the table of all signals by type."""

import pandas as pd

from anomaly_mlflow.detection.best import best_of_families
from anomaly_mlflow.detection.by_type import auroc_by_type
from anomaly_mlflow.report.figures import verdict_plot
from anomaly_mlflow.studies.by_seed import auroc_by_seed
from anomaly_mlflow.studies.claims import find_claims
from anomaly_mlflow.studies.hypotheses import judge as judge_claims
from anomaly_mlflow.studies.hypotheses import verdict_lines
from anomaly_mlflow.tracking.run import Run
from entry_points.judged import read_judged
from entry_points.step import Upstream, step


def claim_metrics(verdicts: pd.DataFrame) -> dict[str, float]:
    """The measured quantity of each part of a claim, so that the UI compares studies."""
    single = verdicts["arm"].str.contains(".", regex=False)  # a signal by itself, another one in each study
    parts = verdicts[verdicts["metric"].str.contains("auroc") & verdicts["value"].notna() & ~single]
    return {f"{row.claim}/{row.arm}.{row.metric}": row.value for row in parts.itertuples()}


def check_options(options: dict) -> None:
    """Raises UnknownName for a claim that there is not."""
    find_claims(options["claims"])


@step(
    "judge",
    own=("seed", "seeds", "draws", "claims"),
    needs=("generate_noise", "extract_features"),
    check=check_options,
)
def judge(run: Run, options: dict, upstream: Upstream) -> None:
    """Test H1, H2, H3 on held-out rows of one study, with intervals over seeds and source groups."""
    judged, claims = read_judged(upstream), find_claims(options["claims"])
    table = auroc_by_type(judged.features, judged.ledger)
    run.log_frame(table.reset_index(), "auroc_by_type.csv")
    run.log_table(table.round(3).reset_index(), "auroc_by_type.json")
    best = best_of_families(judged.features, judged.ledger, judged.groups, table, draws=options["draws"])
    run.log_frame(best, "best_by_family.csv")
    run.log_table(best.round(3), "best_by_family.json")
    how = {"seed": options["seed"], "draws": options["draws"], "claims": claims}
    verdicts = judge_claims(judged.features, judged.ledger, judged.groups, **how)
    run.log_frame(verdicts, "verdicts.csv")
    run.log_table(verdicts.round(3), "verdicts.json")
    seeds = [made.json("config.json")["training_seed"] for made in upstream["extract_features"]]
    run.log_frame(auroc_by_seed(judged.features, seeds, judged.ledger, judged.groups, **how), "auroc_by_seed.csv")
    run.log_figure(verdict_plot(verdicts), "verdicts.png")
    run.log_metrics(claim_metrics(verdicts))
    for claim in verdicts[verdicts["metric"] == "verdict"].itertuples():
        run.tag(f"anomaly.verdict.{claim.claim}", claim.verdict)
    if "mlflow.parentRunId" not in run.tags:  # inside a larger study the last step prints
        print(verdict_lines(verdicts))
