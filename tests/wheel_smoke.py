"""Build the wheel, install it alone into a fresh environment, and ask it for help there.

The environment sees the libraries of this one through a path file, so that the check is about
our own packages and costs seconds.
"""

import subprocess
import sys
import sysconfig
import tempfile
import venv
from pathlib import Path

PACKAGES = {"cli", "feature_store", "hnmets"}
OWNERS = """
from importlib.metadata import packages_distributions
owners = packages_distributions()
print(all(set(owners[name]) == {"hnmets"} for name in %r))
"""


def main() -> None:
    """Fail loudly where the wheel does not work."""
    project = Path(__file__).parent.parent
    with tempfile.TemporaryDirectory() as folder:
        run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, project)
        (wheel,) = Path(folder).glob("hnmets-*.whl")
        fresh = Path(folder) / "fresh"
        venv.create(fresh, with_pip=False)
        site = next(fresh.glob("lib/python*/site-packages"))
        python = fresh / "bin" / "python"
        pip = (sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps")
        run(*pip, wheel)
        (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
        help_text = run(fresh / "bin" / "hnmets", "--help")
        if "features" not in help_text:
            raise SystemExit(f"the wheel's help names no features command:\n{help_text}")
        # The files that are no Python: templates, the store's SQL, rules, words.
        run(fresh / "bin" / "hnmets", "init", Path(folder) / "study")
        run(python, "-c", "from feature_store.database import sql; sql('schema_v1')")
        run(python, "-c", "from hnmets.reporting.html import template; template('report.html.j2')")
        run(fresh / "bin" / "hnmets", "cohort", "rules")
        run(python, "-c", "from hnmets.sources.dicom.vocabulary import words; words('region')")
        # What `mlflow server --app-name hnmets` loads.
        plug_in = "(it,) = entry_points(group='mlflow.app', name='hnmets'); it.load()"
        run(python, "-c", f"from importlib.metadata import entry_points; {plug_in}")
        where = run(python, "-c", "import cli, hnmets; print(cli.__file__, hnmets.__file__)")
        if str(project) in where:
            raise SystemExit(f"the wheel was not what ran: {where}")
        sys.stdout.write(f"wheel smoke test passed: {wheel.name}\n")


def run(*command: str | Path) -> str:
    """Run a command away from the project and return what it printed."""
    with tempfile.TemporaryDirectory() as elsewhere:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=elsewhere,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise SystemExit(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
