"""Checked labels: which rows they make trusted, what is refused, and what lists of cleaners ask for."""

import numpy as np
import pandas as pd
import pytest

import entry_points.all_steps  # noqa: F401
from anomaly_mlflow.cleaning import CLEANERS
from anomaly_mlflow.cleaning.anchor_ablation import ABLATIONS, GROUP
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import AnomalyError, BadData, BadOption, Leakage, UnknownName
from entry_points.checked_labels import check_table, refuse_truth, trusted_rows
from entry_points.cleaning_evidence import check_checked, chosen_cleaners, steps_for
from entry_points.options import OPTIONS
from entry_points.provenance import step_fingerprint
from entry_points.step import STEPS

TRUTH = np.array([0, 1, 2, 0, 1, 2])
GIVEN = np.array([0, 1, 2, 0, 2, 1])


def table(folder, **columns):
    pd.DataFrame({"index": 10 * np.arange(len(next(iter(columns.values())))), **columns}).to_parquet(
        folder / "a.parquet"
    )
    return f"parquet:{folder / 'a.parquet'}"


def samples():
    images = np.zeros((6, 4, 4, 1), np.uint8)
    return Samples(images, GIVEN, 10 * np.arange(6), ("cat", "dog", "owl"), "pets")


def test_a_row_is_trusted_where_all_who_checked_say_the_given_label(tmp_path):
    spec = table(tmp_path, one=[0, -1, 2, 1, 2], two=["cat", "dog", None, "owl", "owl"])
    assert trusted_rows(f"{spec}#one", samples()).tolist() == [True, False, True, False, True, False]
    assert trusted_rows(f"{spec}#two", samples()).tolist() == [True, True, False, False, True, False]
    assert trusted_rows(f"{spec}#one,two", samples()).tolist() == [True, False, False, False, True, False]


def test_the_truth_of_every_sample_is_no_check(tmp_path):
    spec = table(tmp_path, all=TRUTH, most=[0, 1, 2, 0, 1, -1], source=[0, 1, 2, 0, 1, 0], other=GIVEN)
    refuse_truth(f"{spec}#most,other", samples(), TRUTH)
    for columns in ("all", "other,all"):
        with pytest.raises(Leakage, match="'all' is the true label of every sample"):
            refuse_truth(f"{spec}#{columns}", samples(), TRUTH)
    no_class = np.where(np.arange(6) == 5, -1, TRUTH)  # what the source says of a replaced image is no truth of it
    with pytest.raises(Leakage, match="'source'"):
        refuse_truth(f"{spec}#other,source", samples(), no_class)


def test_a_table_that_cannot_be_read_is_told_before_anything_is_made(tmp_path):
    spec = table(tmp_path, one=[0, 1], two=[0, 1])
    check_table(f"{spec}#one,two")
    for columns in ("one,one", "one,", ""):
        with pytest.raises(BadOption, match="one or more columns, each once"):
            check_table(f"{spec}#{columns}")
    with pytest.raises(UnknownName, match="unknown label column 'three'"):
        check_table(f"{spec}#three")
    with pytest.raises(BadData, match="does not exist"):
        check_table(f"parquet:{tmp_path / 'none.parquet'}#one")


def names(text, checked=None):
    return [one.name for one in chosen_cleaners(text, checked)]


def test_all_asks_for_cleaners_that_need_checked_labels_where_there_are_some():
    assert names("all") == sorted(set(CLEANERS) - {"conformal_fdr"})
    assert names("all", "parquet:a#b") == sorted(CLEANERS)
    assert names("conformal_fdr, fine", "parquet:a#b") == ["conformal_fdr", "fine"]
    with pytest.raises(BadOption, match=r"conformal_fdr needs trusted, which no step makes; .* option checked"):
        names("conformal_fdr")
    assert "train_folds" in steps_for("conformal_fdr", "parquet:a#b")


def test_a_group_asks_for_its_members_alone_or_beside_others():
    members = {*ABLATIONS, "anchors_linear", "anchors_learned", "classifier_argmax"}
    assert names(GROUP) == sorted(members)
    assert names(f"fine,{GROUP},anchors_linear") == sorted(members | {"fine"})
    assert names(f"all,{GROUP}") == sorted((members | set(CLEANERS)) - {"conformal_fdr"})
    assert not set(names("all")) & set(ABLATIONS)
    assert steps_for(GROUP, None) == {"generate_noise", "train_noisy"}


def test_checked_labels_that_nobody_looks_at_are_refused(tmp_path):
    spec = f"{table(tmp_path, one=[0, 1])}#one"
    check_checked({"checked": None, "scored": "fine"})
    check_checked({"checked": spec, "scored": "all"})
    check_checked({"checked": spec, "scored": "fine", "cleaner_names": "conformal_fdr,fine"})
    for lists in ({"scored": "fine"}, {"cleaner_names": "fine"}, {"scored": GROUP, "cleaner_names": "fine"}):
        with pytest.raises(BadOption, match="has no effect without a cleaner that looks at it, such as conformal_fdr"):
            check_checked({"checked": spec} | lists)


@pytest.mark.parametrize("name", ["score_cleaners", "repair_labels"])
def test_a_step_checks_the_table_and_its_content_is_part_of_what_the_step_is_made_from(name, tmp_path):
    step, spec = STEPS[name], f"{table(tmp_path, one=[0, 1])}#one"
    options = {key: OPTIONS[key].type.convert(OPTIONS[key].default, OPTIONS[key], None) for key in step.options}
    options |= {"cleaner_names": "confident_learning,conformal_fdr,small_loss", "checked": spec}
    step.check(options)
    with pytest.raises(AnomalyError, match="unknown label column 'two'"):
        step.check(options | {"checked": spec.replace("#one", "#two")})
    first = step_fingerprint(step, options, {})
    assert step_fingerprint(step, options, {}) == first != step_fingerprint(step, options | {"checked": None}, {})
    table(tmp_path, one=[0, 2])
    assert step_fingerprint(step, options, {}) != first
