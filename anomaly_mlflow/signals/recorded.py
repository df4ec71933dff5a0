"""What can be known of a recording alone: no model, no images."""

from collections import Counter
from collections.abc import Sequence

from anomaly_mlflow.errors import MissingEvidence
from anomaly_mlflow.signals.base import SIGNALS
from anomaly_mlflow.signals.collect import freeze
from anomaly_mlflow.signals.evidence import Evidence
from anomaly_mlflow.training.recording import Recording
from anomaly_mlflow.training.top_recording import TopRecording

__all__ = ["coverage", "evidence_of", "within_reach"]


def evidence_of(recording: Recording | TopRecording) -> Evidence:
    """The evidence that a recording is by itself; read-only, as all evidence."""
    evidence = Evidence(recording.sample_id, recording.labels, recording.num_classes, recording=recording)
    freeze(evidence)
    return evidence


def within_reach(evidence: Evidence, names: Sequence[str]) -> list[str]:
    """Those of the signals whose needs are met. Raises MissingEvidence where none is."""
    met = [name for name in names if not _lacks(evidence, name)]
    if not met:
        raise MissingEvidence(f"a recording alone is not enough for {', '.join(names)}; leave out the option recording")
    return met


def coverage(evidence: Evidence, names: Sequence[str]) -> str:
    """One line: how many of the signals can be computed, what the others miss, and what is approximated."""
    lacks = {name: _lacks(evidence, name) for name in names}
    missed = Counter(need for needs in lacks.values() for need in needs)
    told = [f"{sum(not needs for needs in lacks.values())} of {len(names)} signals"]
    if missed:
        told.append(f"the others miss {', '.join(missed)}")
    approximated = [name for name in names if SIGNALS[name].all_logits and not lacks[name]]
    if approximated and isinstance(evidence.recording, TopRecording):
        which = f"of {evidence.num_classes} classes the largest logits were kept"
        told.append(f"{which}: {', '.join(approximated)} is approximated")
    return "; ".join(told)


def _lacks(evidence: Evidence, name: str) -> list[str]:
    return [need for need in SIGNALS[name].needs if getattr(evidence, need) is None]
