"""Trials of a sweep as child runs: one a trial, also after the sweep was resumed."""

from datetime import datetime

import mlflow

from anomaly_mlflow.tracking.owner import USER, this_user
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.tracking.server import client

__all__ = ["STUDY", "TRIAL", "TrialRuns"]

STUDY, TRIAL, STATE = "anomaly.study", "anomaly.trial", "anomaly.trial_state"


class TrialRuns:
    """The child runs of a sweep, found by their tags; a trial that has its finished run is not written again."""

    def __init__(self, parent: Run, study: str):
        self._parent, self._study = parent, study
        self._experiment = parent.experiment_id
        self._there = self._found() if parent.resumed else {}

    def note(
        self,
        number: int,
        state: str,
        params: dict[str, object],
        metrics: dict[str, float],
        steps: dict[int, float],
        began: datetime,
        ended: datetime,
    ) -> None:
        """Write a trial: its state (complete, pruned), parameters, metrics, and the value after each fold."""
        run_id, status = self._there.get(number, (None, ""))
        if status == "FINISHED":
            return
        run_id = run_id or self._made(number, began)
        values = [*((key, value, 0) for key, value in metrics.items())]
        values += [("f1_so_far", value, step) for step, value in steps.items()]
        client().log_batch(
            run_id,
            metrics=[mlflow.entities.Metric(key, float(value), _ms(ended), step) for key, value, step in values],
            params=[mlflow.entities.Param(key, str(value)) for key, value in params.items()],
            tags=[mlflow.entities.RunTag(STATE, state)],
        )
        client().set_terminated(run_id, "FINISHED", _ms(ended))
        self._there[number] = (run_id, "FINISHED")

    def _made(self, number: int, began: datetime) -> str:
        # With its first breath it says whose it is, or a death here would leave a run that nobody finds.
        tags = {"mlflow.parentRunId": self._parent.id, STUDY: self._study, TRIAL: str(number), USER: this_user()}
        return (
            client()
            .create_run(self._experiment, start_time=_ms(began), tags=tags, run_name=f"trial {number}")
            .info.run_id
        )

    def _found(self) -> dict[int, tuple[str, str]]:
        wanted = f"tags.`mlflow.parentRunId` = '{self._parent.id}' and tags.`{STUDY}` = '{self._study}'"
        there, token = {}, None
        while True:
            page = client().search_runs([self._experiment], wanted, max_results=1000, page_token=token)
            there |= {int(run.data.tags[TRIAL]): (run.info.run_id, run.info.status) for run in page}
            token = page.token
            if not token:
                return there


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
