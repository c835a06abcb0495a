import subprocess
from pathlib import Path

from hnmets.tracking.checkout import find_checkout
from hnmets.tracking.environment import capture, hash_of, scrubbed
from hnmets.tracking.machine import processor
from hnmets.tracking.privacy import Privacy


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.org")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_every_part_of_the_environment_is_there() -> None:
    found = capture(["ablate"], privacy=Privacy())
    document = found.as_json()
    assert {"numpy", "torch", "pyradiomics-bhklab", "hnmets"} <= found.libraries.keys()
    assert (found.command, len(found.packages_hash)) == ("hnmets ablate", 64)
    assert found.processor.cores >= 1
    assert found.system.startswith(("Linux", "Darwin"))
    assert document["processor"] == vars(found.processor)


def test_the_packages_hash_knows_versions_and_no_order() -> None:
    # printf 'a==1\nb==2' | sha256sum
    known = "76457601f3989b696f764fe654a98acb7396d4db67fc3c100cce7b2e11acca15"
    assert hash_of(["a==1", "b==2"]) == hash_of(["b==2", "a==1"]) == known
    assert hash_of(["a==1", "b==3"]) != known


def test_the_flags_of_a_processor_are_known_in_any_order(tmp_path: Path) -> None:
    text = "processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: {}\n\nprocessor\t: 1\n"
    one, other, more = tmp_path / "one", tmp_path / "other", tmp_path / "more"
    one.write_text(text.format("fma avx2"))
    other.write_text(text.format("avx2 fma"))
    more.write_text(text.format("avx2 fma avx512f"))
    assert processor(one) == processor(other)
    assert processor(one).flags_hash != processor(more).flags_hash
    assert processor(one).model == "Some CPU"
    assert processor(tmp_path / "absent").flags_hash == ""


def test_a_checkout_has_a_commit_and_tells_whether_it_was_changed(tmp_path: Path) -> None:
    package = tmp_path / "hnmets" / "__init__.py"
    package.parent.mkdir()
    package.write_text("")
    git(tmp_path, "init", "--quiet")
    assert find_checkout(package) is None  # nothing is committed
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    clean = find_checkout(package)
    assert clean is not None
    assert (len(clean.commit), clean.dirty) == (40, False)
    (tmp_path / "new.py").write_text("")
    changed = find_checkout(package)
    assert changed is not None
    assert (changed.commit, changed.dirty) == (clean.commit, True)


def test_code_that_was_installed_inside_of_a_foreign_checkout_has_no_commit(
    tmp_path: Path,
) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / ".gitignore").write_text(".venv\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "theirs")
    package = tmp_path / ".venv" / "hnmets" / "__init__.py"
    package.parent.mkdir(parents=True)
    package.write_text("")
    assert find_checkout(package) is None


def test_secrets_and_folders_leave_the_command_line() -> None:
    typed = [
        "ablate",
        "--api-token=canary",
        "--password",
        "canary",
        "--study",
        "/home/canary/study.toml",
        "--url=http://canary:canary@example.org",
    ]
    shown = scrubbed(typed, privacy=Privacy(user="canary"))
    assert "canary" not in shown
    assert shown.startswith("hnmets ablate")
    assert "--study '[path]'" in shown
    assert scrubbed([], privacy=Privacy()) == "hnmets"
