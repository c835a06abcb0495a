"""The folder of an MLflow model around a package: signature, requirements, and no path of ours."""

import hashlib
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from hnmets.registry.package import Package

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

# Their versions decide the digits of a risk; the rest follows from hnmets' own requirements.
_PINNED = ("numpy", "scipy", "safetensors", "torch")
PACKAGE_FOLDER = Path("artifacts/package")


def save_model(package: Package, package_folder: Path, target: Path) -> None:
    """Write the folder of an MLflow model.

    Parameters
    ----------
    package_folder
        Of the written package; it must be called `package`.
    target
        New folder.
    """
    with warnings.catch_warnings():
        # An example in the model would be a patient's row.
        warnings.filterwarnings("ignore", ".*input example was not provided.*", UserWarning)
        # MLflow's own chat models, on import.
        warnings.filterwarnings("ignore", ".*Any type hint is inferred.*", UserWarning)
        from mlflow.pyfunc import save_model

        save_model(
            target,
            python_model=str(Path(__file__).with_name("served_model.py")),
            artifacts={"package": str(package_folder)},
            signature=signature_of(package),
            pip_requirements=[f"{name}=={version(name)}" for name in ("hnmets", *_PINNED)],
        )
    _forget_paths(target)


def signature_of(package: Package) -> "ModelSignature":
    """Return the columns by name and type; nothing is required, as a value may be unknown."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema

    types = {"number": "double", "category": "string"}
    inputs = [ColSpec(types[c.type], c.name, required=False) for c in package.columns]
    outputs = {
        "case_id": "string",
        "risk": "double",
        "spread_over_members": "double",
        "threshold": "double",
        "positive": "boolean",
        "flags": "string",
        "refused": "string",
        "contributions": "string",
        "members": "string",
    }
    return ModelSignature(
        inputs=Schema([ColSpec("string", "case_id", required=False), *inputs]),
        outputs=Schema([ColSpec(kind, name) for name, kind in outputs.items()]),
        params=ParamSchema(
            [ParamSpec("members", "boolean", False), ParamSpec("contributions", "long", 0)]
        ),
    )


def tree_digest(folder: Path) -> str:
    """Return the SHA-256 over all files of a folder, names and contents."""
    running = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        running.update(f"{path.relative_to(folder).as_posix()} {digest}\n".encode())
    return running.hexdigest()


def _forget_paths(folder: Path) -> None:
    """Take the folders of this machine out of the description; MLflow needs the names alone."""
    from mlflow.models import Model

    description = Model.load(str(folder))
    flavor = description.flavors["python_function"]
    flavor["model_code_path"] = Path(flavor["model_code_path"]).name
    for artifact in flavor["artifacts"].values():
        artifact["uri"] = artifact["path"]
    description.save(str(folder / "MLmodel"))
