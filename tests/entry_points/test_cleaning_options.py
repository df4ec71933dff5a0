"""The names in the help of the cleaning options are those of the registries, which are not imported there."""

from anomaly_mlflow.cleaning import CLEANERS
from anomaly_mlflow.cleaning.learners import LEARNERS
from anomaly_mlflow.cleaning.repair import CAP, LEAST_CONFIDENCE
from anomaly_mlflow.cleaning.repair_floor import FLOOR
from anomaly_mlflow.cleaning.variants import OF_CLEANER, VARIANTS
from anomaly_mlflow.tracking.fingerprint import imported_sources
from entry_points.cleaning_options import CLEANER_NAMES, LEARNER_NAMES, VARIANT_NAMES
from entry_points.options import OPTIONS
from entry_points.provenance import ROOT


def test_the_help_names_every_cleaner_learner_and_variant():
    assert CLEANER_NAMES.split(", ") == sorted(CLEANERS)
    assert LEARNER_NAMES.split(", ") == list(LEARNERS)
    assert VARIANT_NAMES.split(", ") == [*VARIANTS, *(f"{kind}:CLEANER" for kind in OF_CLEANER)]


def test_the_defaults_are_those_of_the_repair():
    assert (OPTIONS["repair_cap"].default, OPTIONS["repair_confidence"].default) == (CAP, LEAST_CONFIDENCE)
    assert OPTIONS["repair_floor"].default == FLOOR


def test_names_are_one_list_in_any_order_and_spacing():
    kind = OPTIONS["cleaner_names"].type
    assert kind.convert(" small_loss, fine,fine", None, None) == "fine,small_loss"


def test_no_step_but_those_of_cleaning_depends_on_the_code_of_a_cleaner():
    for step in ("train_noisy", "train_folds", "extract_features", "detect", "monitor"):
        files = {str(path.relative_to(ROOT)) for path in imported_sources(f"entry_points.{step}", ROOT)}
        assert not [one for one in files if one.startswith("anomaly_mlflow/cleaning/")], step
