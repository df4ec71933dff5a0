"""The primary cell is what the issue fixed; the others differ in one factor."""

import pytest

from anomaly_mlflow.errors import UnknownName
from anomaly_mlflow.studies.cells import PRIMARY, cells_around, chosen_cells, is_primary

CELLS = cells_around("convnet", "photographs")


def test_the_primary_cell_is_the_one_that_was_fixed_beforehand():
    fixed = {"hard_by": "margin", "near_miss_from": "any", "near_table": "auto", "gross_table": "auto"}
    assert PRIMARY.changes == {**fixed, "ood_label": "random"}
    assert is_primary({**PRIMARY.changes, "model": "vit"})
    assert not is_primary({**PRIMARY.changes, "hard_by": "boundary"})


def test_every_factor_of_the_issue_has_its_cells():
    assert [cell.name for cell in CELLS] == [
        "hard_by=boundary",
        "hard_by=raters",
        "near_miss_from=hard_quantile",
        "tables=embedding",
        "tables=human",
        "ood_label=single",
        "ood_label=kept",
        "ood=noise",
        "model=resnet20",
    ]
    assert {cell.name: cell.needs for cell in CELLS if cell.needs} == {
        "hard_by=raters": ("raters",),
        "tables=human": ("confusion",),
    }


def test_a_cell_changes_one_factor_and_leaves_the_primary_value():
    for cell in CELLS:
        assert all(PRIMARY.changes.get(name) != value for name, value in cell.changes.items())
        assert len({name.partition("_")[2] for name in cell.changes if name.endswith("_table")}) <= 1


def test_what_concerns_images_of_no_class_bears_upon_h1_alone_and_needs_one_training():
    assert [cell.name for cell in CELLS if cell.trains_once] == ["ood_label=single", "ood_label=kept", "ood=noise"]


def test_several_sources_are_told_apart_without_a_cell_and_the_model_is_another_one():
    names = [cell.name for cell in cells_around("vit", "noise|photographs")]
    assert "model=convnet" in names and not [name for name in names if name.startswith("ood=")]
    assert "ood=shuffled_patches" in [cell.name for cell in cells_around("vit", "noise")]


def test_cells_are_chosen_by_name_in_the_order_of_the_code():
    chosen = chosen_cells("ood_label=kept,primary,hard_by=boundary", CELLS)
    assert [cell.name for cell in chosen] == ["hard_by=boundary", "ood_label=kept"]
    assert chosen_cells("all", CELLS) == CELLS and chosen_cells("primary", CELLS) == []
    with pytest.raises(UnknownName, match=r"unknown cell 'hard'.*known: hard_by=boundary"):
        chosen_cells("hard", CELLS)
