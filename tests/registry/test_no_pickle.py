"""Nothing in the packages reads a pickle unguarded, or writes one."""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ("hnmets", "feature_store", "cli")
ROOT = Path(__file__).parents[2]
# Reads other people's weights, and by a reader that makes tensors and nothing else.
GUARDED = {"hnmets/networks/weights_file.py"}
UNSAFE_MODULES = {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
UNSAFE_OPTIONS = {("allow_pickle", True), ("weights_only", False)}


def problems(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        elif isinstance(node, ast.keyword) and isinstance(node.value, ast.Constant):
            given = node.arg, node.value.value
            names = [f"{node.arg}={node.value.value}"] if given in UNSAFE_OPTIONS else []
        yield from (name for name in names if name.split(".")[0] in UNSAFE_MODULES or "=" in name)


def test_no_package_loads_code_with_data() -> None:
    found = {
        str(path.relative_to(ROOT)): list(problems(path))
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    }
    assert len(found) > 400
    assert {path for path, what in found.items() if what} == GUARDED


def test_the_scan_sees_what_it_is_for(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text("import joblib\nfrom pickle import load\nnp.load(x, allow_pickle=True)\n")
    assert list(problems(bad)) == ["joblib", "pickle", "allow_pickle=True"]
