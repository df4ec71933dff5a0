"""From what was typed to the options of each cell's study; nothing is trained here."""

import pytest

import entry_points.all_steps  # noqa: F401
from anomaly_mlflow.errors import BadOption, UnknownName
from anomaly_mlflow.studies.cells import PRIMARY
from anomaly_mlflow.studies.claims import CLAIMS, signals_of
from entry_points.cell_options import cells_of, missing, options_of, scaled
from entry_points.hypotheses import check_cells
from entry_points.named_runs import all_needs
from entry_points.options import OPTIONS
from entry_points.step import STEPS

DEFAULTS = {
    name: OPTIONS[name].type.convert(OPTIONS[name].default, OPTIONS[name], None) for name in STEPS["hypotheses"].options
}
RATERS = "cifarn:labels.pt#a,b,c"


def typed(**options):
    return DEFAULTS | {"model": "convnet"} | options


def cells(options):
    return {cell.name: cell for cell in cells_of(options)}


def made(name, **options):
    asked = typed(**options)
    return options_of(cells(asked)[name], asked)


def test_the_primary_cell_comes_first_and_what_was_typed_otherwise_before_it_under_another_name():
    assert next(iter(cells(typed()))) == "primary"
    names = list(cells(typed(hard_by="boundary")))
    assert names[:2] == ["as_asked", "primary"]
    assert made("as_asked", hard_by="boundary")["hard_by"] == "boundary"
    assert made("primary", hard_by="boundary")["hard_by"] == "margin"
    assert made("tables=embedding", hard_by="boundary")["hard_by"] == "margin"


def test_a_cell_differs_from_the_primary_one_in_its_own_factor_alone():
    primary = made("primary")
    for name, cell in cells(typed()).items():
        if not cell.trains_once:
            changed = {key for key, value in made(name).items() if value != primary[key]}
            assert changed == {key for key, value in cell.changes.items() if value != primary[key]}, name


def test_tables_of_people_go_only_to_the_cells_that_need_them():
    options = {"raters": RATERS, "confusion": "parquet:x#a,b"}
    asked = typed(**options)
    handed = {name: {key for key in options if options_of(cell, asked)[key]} for name, cell in cells(asked).items()}
    assert handed.pop("hard_by=raters") == {"raters"} and handed.pop("tables=human") == {"confusion"}
    assert not any(handed.values())
    assert missing(cells(typed())["hard_by=raters"], typed()) == ["raters"]
    assert not missing(cells(asked)["hard_by=raters"], asked)


def test_only_the_signals_of_the_arms_are_extracted_unless_others_were_typed():
    assert made("primary")["signals"].split(",") == signals_of(CLAIMS)
    assert made("ood_label=kept")["signals"].split(",") == signals_of(CLAIMS[:1])
    assert made("primary", signals="entropy,energy")["signals"] == "entropy,energy"
    assert (made("ood_label=kept")["claims"], made("ood_label=kept")["seeds"]) == ("H1", 1)


def test_named_runs_stay_where_a_cell_changes_nothing_they_were_made_with():
    runs = {"baseline_run": "b", "noise_run": "n", "clean_run": "c", "noisy_run": "y", "features_run": "f"}

    def kept(name):
        found = made(name, **runs)
        return {key for key in runs if found[key]}

    assert kept("primary") == set(runs)
    assert kept("model=resnet20") == {"baseline_run", "noise_run"}
    assert kept("hard_by=boundary") == {"baseline_run"}


def test_a_small_scale_caps_only_what_was_not_typed():
    options = scaled(typed(scale="small", subset=900, seeds=4))
    assert (options["subset"], options["seeds"], options["folds"], options["epochs"]) == (900, 4, 3, 6)
    assert scaled(typed()) == typed()


def test_steps_are_needed_only_for_the_signals_that_read_them():
    arms = made("primary")
    assert {"train_folds", "train_probes"}.isdisjoint(all_needs(STEPS["judge"], arms))
    assert set(STEPS["extract_features"].needed(arms)) == {"generate_noise", "train_clean", "train_noisy"}
    assert set(STEPS["extract_features"].needed(made("ood_label=kept"))) == {"generate_noise", "train_clean"}
    assert STEPS["extract_features"].needed(typed()) == STEPS["extract_features"].needs
    assert STEPS["extract_features"].needed(typed(signals="confident_joint")) == ("generate_noise", "train_folds")
    assert STEPS["extract_features"].needed(typed(signals="probe_wrong_label")) == ("generate_noise", "train_probes")


@pytest.mark.parametrize(
    ("options", "line", "error"),
    [
        ({"cells": "hard_by=luck"}, "unknown cell 'hard_by=luck'", UnknownName),
        ({"claims": "H1"}, "hypotheses judges all claims", BadOption),
        ({"near_miss_share": 0.0}, "cell near_miss_from=hard_quantile: ", BadOption),
        ({"hard_by": "raters"}, "cell as_asked: hard_by=raters needs the option raters", BadOption),
    ],
)
def test_what_cannot_be_judged_is_refused_before_anything_is_made(options, line, error):
    with pytest.raises(error, match=line):
        check_cells(typed(**options))
    check_cells(typed())
    assert PRIMARY.name in cells(typed())
