"""What was removed from a run on purpose: the tag that says so, and what a reader is told."""

import json
from datetime import UTC, datetime

__all__ = ["PRUNED", "pruned_tag", "why_pruned"]

PRUNED = "anomaly.pruned"


def pruned_tag(artifact: str, by: str, features_run: str, size: int) -> str:
    """The value of the tag: which artifact, when (UTC), by what, where its features are, bytes."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    return json.dumps({"artifact": artifact, "at": at, "by": by, "features_run": features_run, "bytes": size})


def why_pruned(run_id: str, tag: str, artifact: str) -> str | None:
    """One line for who asks for an artifact that was removed, or for a part of it; None where it was not."""
    try:
        pruned = json.loads(tag)
        at, by, features = (str(pruned[key])[:200] for key in ("at", "by", "features_run"))
    except (ValueError, LookupError, TypeError, RecursionError):  # anybody may write tags
        return None
    if artifact.split("/")[0] != pruned.get("artifact"):
        return None
    return (
        f"the {artifact} of run {run_id} was removed on {at} ({by}); its features are in run {features} "
        f"(features_run={features}); after `mlflow runs delete --run-id {run_id}` the same command trains it anew"
    )
