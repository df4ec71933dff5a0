import pytest

from anomaly_mlflow.tracking.fingerprint import fingerprint, imported_sources


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "house" / "attic").mkdir(parents=True)
    (tmp_path / "house" / "__init__.py").write_text("")
    (tmp_path / "house" / "attic" / "__init__.py").write_text("from house.attic import box\n")
    (tmp_path / "house" / "attic" / "box.py").write_text("import os\n")
    (tmp_path / "house" / "door.py").write_text("def go():\n    from house.attic import box\n")
    (tmp_path / "house" / "cellar.py").write_text("import numpy\n")
    imported_sources.cache_clear()
    return tmp_path


def test_all_files_that_a_module_imports_are_found_also_through_packages_and_inside_functions(tree):
    found = {str(path.relative_to(tree)) for path in imported_sources("house.door", tree)}
    assert found == {"house/door.py", "house/__init__.py", "house/attic/__init__.py", "house/attic/box.py"}


def test_a_fingerprint_changes_with_a_source_and_with_a_value_and_with_nothing_else(tree):
    sources = list(imported_sources("house.door", tree))
    before = fingerprint(sources, {"a": 1, "b": 2})
    assert fingerprint(sources[::-1], {"b": 2, "a": 1}) == before
    assert fingerprint(sources, {"a": 1, "b": 3}) != before
    (tree / "house" / "cellar.py").write_text("import scipy\n")
    assert fingerprint(sources, {"a": 1, "b": 2}) == before
    (tree / "house" / "attic" / "box.py").write_text("import sys\n")
    assert fingerprint(sources, {"a": 1, "b": 2}) != before
