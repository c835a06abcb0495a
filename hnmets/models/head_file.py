"""A fitted head on disk: numbers as safetensors, everything else as JSON, nothing pickled."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from hnmets.models.errors import HeadFileError
from hnmets.models.fitted_fusion import FittedFusion
from hnmets.models.head_layout import layout_of
from hnmets.models.head_parameters import HeadParameters
from hnmets.models.recalibration import Recalibration
from hnmets.selection.scaling import FittedScaling

FORMAT = "hnmets fusion head 1"
_MEAN, _SPREAD = "scaling.mean", "scaling.spread"


@dataclass(frozen=True, kw_only=True)
class _Description:
    """What stands in the JSON file."""

    format: str
    columns: tuple[str, ...]
    modalities: tuple[str, ...]
    places: tuple[int, ...]
    widths: tuple[int, ...]
    parameters: HeadParameters
    seed: int
    losses: tuple[float, ...]
    calibration: Recalibration


def save_head(head: FittedFusion, path: Path) -> tuple[Path, Path]:
    """Write `PATH.json` and `PATH.safetensors`; return both."""
    description = _Description(
        format=FORMAT,
        columns=head.columns,
        modalities=head.modalities,
        places=head.places,
        widths=head.widths,
        parameters=head.parameters,
        seed=head.seed,
        losses=head.losses,
        calibration=head.calibration,
    )
    text, numbers = _files(path)
    text.write_text(json.dumps(asdict(description), indent=1) + "\n", encoding="utf-8")
    scaling = {_MEAN: head.scaling.mean, _SPREAD: head.scaling.spread}
    save_file({**head.weights, **scaling}, numbers)
    return text, numbers


def load_head(path: Path) -> FittedFusion:
    """Read what `save_head` wrote; the head gives the same risks to the last bit.

    Raises
    ------
    HeadFileError
        If a file is absent, damaged, of another format, or the two do not fit each other.
    """
    text, numbers = _files(path)
    try:
        read = TypeAdapter(_Description).validate_json(text.read_bytes())
        arrays = load_file(numbers)
    except ValidationError as error:
        # The error itself would show what it met.
        raise HeadFileError(text, f"{error.error_count()} values are not as written") from None
    except (OSError, SafetensorError) as error:
        raise HeadFileError(path, str(error)) from error
    if read.format != FORMAT:
        raise HeadFileError(text, f"it is of format '{read.format}', known is '{FORMAT}'")
    _require_shapes(read, arrays, numbers)
    return FittedFusion(
        scaling=FittedScaling(
            columns=read.columns, mean=arrays.pop(_MEAN), spread=arrays.pop(_SPREAD)
        ),
        modalities=read.modalities,
        places=read.places,
        widths=read.widths,
        parameters=read.parameters,
        seed=read.seed,
        weights=arrays,
        losses=read.losses,
        calibration=read.calibration,
    )


def _require_shapes(
    read: _Description, arrays: dict[str, NDArray[np.float32]], path: Path
) -> None:
    columns = len(read.columns)
    if sorted(read.places) != list(range(columns)) or sum(read.widths) != columns:
        raise HeadFileError(path, f"its places and widths do not cover {columns} columns")
    wanted: dict[str, tuple[int, ...]] = {_MEAN: (columns,), _SPREAD: (columns,)}
    for name, (inputs, outputs) in layout_of(read.parameters, read.widths).linear.items():
        wanted |= {f"{name}.weight": (inputs, outputs), f"{name}.bias": (1, outputs)}
    met = {name: array.shape for name, array in arrays.items()}
    if met != wanted:
        differing = sorted(name for name in met | wanted if met.get(name) != wanted.get(name))
        raise HeadFileError(path, f"'{differing[0]}' is absent, unknown or of another shape")
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise HeadFileError(path, "it holds numbers that are not finite")


def _files(path: Path) -> tuple[Path, Path]:
    return path.with_name(f"{path.name}.json"), path.with_name(f"{path.name}.safetensors")
