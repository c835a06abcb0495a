"""A package is read as it was written, to the last bit, or not at all."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from hnmets.registry.errors import PackageError, TamperedPackageError
from hnmets.registry.package import open_package, require_untouched
from tests.builders_packages import card, held_out, models, package, rows, written_package


def test_a_package_read_back_is_the_one_that_was_written(tmp_path: Path) -> None:
    folder, digest = written_package(tmp_path)
    opened = open_package(folder, digest=digest)
    before = models(rows())
    assert opened.package == package(rows(), before)
    assert (opened.card, opened.digest) == (card(), digest)
    seen = held_out()
    asked = seen.of_columns([seen.columns.index(name) for name in opened.package.encoded])
    for read, fitted in zip(opened.models, before, strict=True):
        np.testing.assert_array_equal(read.risk(asked), fitted.risk(asked))


def test_equal_models_are_equal_packages(tmp_path: Path) -> None:
    assert written_package(tmp_path / "a")[1] == written_package(tmp_path / "b")[1]


@pytest.mark.parametrize(
    "name", ["members.safetensors", "members.json", "package.json", "card.md"]
)
def test_one_changed_byte_is_noticed(name: str, tmp_path: Path) -> None:
    folder, _ = written_package(tmp_path)
    content = bytearray((folder / name).read_bytes())
    content[-9] ^= 1
    (folder / name).write_bytes(bytes(content))
    with pytest.raises(TamperedPackageError, match=rf"'{name}' is not as it was registered"):
        open_package(folder)


def test_a_file_that_is_absent_or_foreign_is_noticed(tmp_path: Path) -> None:
    folder, _ = written_package(tmp_path)
    (folder / "model.pkl").write_bytes(b"cos\nsystem\n")
    with pytest.raises(TamperedPackageError, match=r"model\.pkl"):
        open_package(folder)
    (folder / "model.pkl").unlink()
    (folder / "card.md").unlink()
    with pytest.raises(TamperedPackageError, match=r"card\.md"):
        open_package(folder)


def test_a_package_with_an_index_of_its_own_is_not_the_registered_one(tmp_path: Path) -> None:
    folder, digest = written_package(tmp_path)
    (folder / "card.md").write_text("better figures")
    index = json.loads((folder / "files.json").read_text())
    index["sha256"]["card.md"] = hashlib.sha256(b"better figures").hexdigest()
    (folder / "files.json").write_text(json.dumps(index))
    require_untouched(folder)
    with pytest.raises(TamperedPackageError, match=rf"not {digest[:12]}"):
        require_untouched(folder, digest=digest)


def test_a_folder_without_an_index_is_no_package(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match=r"files\.json is absent") as caught:
        open_package(tmp_path)
    assert "hnmets models register" in caught.value.__notes__[0]


def test_nothing_of_a_package_is_a_pickle(tmp_path: Path) -> None:
    folder, _ = written_package(tmp_path)
    assert {path.suffix for path in folder.iterdir()} == {".json", ".md", ".safetensors"}


def test_a_card_says_what_nobody_has_reported(tmp_path: Path) -> None:
    folder, _ = written_package(tmp_path)
    text = (folder / "card.md").read_text()
    assert "- **intended use**: not reported" in text
    assert "| AUC | 0.700 (0.600 to 0.800) |" in text
