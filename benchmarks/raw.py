"""From a raw CT of 512 × 512 × 150 voxels to a risk: seconds, where they go, and memory.

A model of everything (clinic, size, radiomics of tumour and ring, the full Swin's embedding) is
fitted on a small synthetic cohort; the CT is that of a synthetic patient of full size in as much
air as makes it that large, compressed as hospitals' exports are. `hnmets predict --image` is a
process of its own, so that its imports count.

    python -m benchmarks.raw
"""

import cProfile
import csv
import os
import pstats
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import SimpleITK

from hnmets.execution.local import InProcess
from hnmets.sources.synthetic.cohort import SyntheticCohort
from hnmets.workflows import ablate, cohort_synth, features_build, models_register, predict
from hnmets.workflows.features_build import Request
from hnmets.workflows.ladder import Choice
from hnmets.workflows.raw_case import RawCase
from hnmets.workflows.study import Study, load_study
from hnmets.workflows.study_sections import View

CASES, SCALE, ROUNDS = 24, 0.25, 3
SHAPE = (150, 512, 512)
AIR_HU = -1000
VIEW = View(
    name="everything",
    features=("clinical", "size", "radiomics", "embedding.both"),
    model="logistic",
)
FLAGS = {
    "split.folds": 2,
    "split.repeats": 1,
    "split.inner_folds": 2,
    "evaluation.draws": 100,
    "embedding.variants": ["both"],
    "embedding.preset": "full",
}
STEPS = {
    ("predict", "by_image"): "all of it, once everything is imported",
    ("case_reader", "read_case"): "reading CT and masks",
    ("regions", "build_regions"): "regions and ring",
    ("radiomics", "extract"): "2 x 1562 radiomics features",
    ("embedding", "embed"): "crop through the full Swin",
    ("features_build", "settle"): "a store of one case",
}


def main() -> None:
    """Measure the command and its steps."""
    with tempfile.TemporaryDirectory() as place:
        study = registered(Path(place) / "cohort")
        case = enlarged(study, Path(place) / "patient")
        print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        whole = [command(study, case) for _ in range(ROUNDS)]
        seconds = statistics.median(each[0] for each in whole)
        print(
            f"hnmets predict --image, {' x '.join(map(str, SHAPE[::-1]))}: {seconds:.1f} s, "
            f"peak {max(each[1] for each in whole):.2f} GiB (median of {ROUNDS})"
        )
        for step, spent in steps(study, case).items():
            print(f"  {step}: {spent:.1f} s")


def registered(folder: Path) -> Study:
    """Make a cohort, fit a model of everything, and register it."""
    cohort_synth.run(folder, SyntheticCohort(cases=CASES, seed=3, scale=SCALE))
    study = load_study(folder / "study.toml", flags=FLAGS)
    features_build.run(study, Request(), executor=InProcess())
    ablate.run(study, choice=Choice(views=(VIEW,), only=(VIEW.name,)))
    models_register.run(study)
    return study


def enlarged(study: Study, folder: Path) -> RawCase:
    """Write a patient of full size in as much air as makes the CT as large as wanted."""
    cohort_synth.run(folder, SyntheticCohort(cases=1, seed=9, scale=1.0))
    with (folder / "cohort.csv").open(encoding="utf-8", newline="") as file:
        row = next(csv.DictReader(file))
    files = {}
    for name, outside in (("CT_image", AIR_HU), ("gtv", 0)):
        file_of = folder / "nifti" / f"{row['case_id']}_{name}.nii.gz"
        image = SimpleITK.ReadImage(str(file_of))
        rest = np.array(SHAPE[::-1]) - np.array(image.GetSize())
        low = (rest // 2).tolist()
        padded = SimpleITK.ConstantPad(image, low, (rest - rest // 2).tolist(), outside)
        files[name] = folder / f"{name}.nii.gz"
        SimpleITK.WriteImage(padded, str(files[name]), useCompression=True)
    return RawCase(
        image=files["CT_image"],
        masks=dict.fromkeys(("tumour", "nodes"), files["gtv"]),
        clinical={name: row[rule.column] for name, rule in study.predictors.items()},
    )


def command(study: Study, case: RawCase) -> tuple[float, float]:
    """Run the command; return its seconds and its peak of memory, GiB."""
    told = ",".join(f"{name}={value}" for name, value in case.clinical.items() if value)
    words = [
        *(sys.executable, "-m", "cli", "predict", "-s", str(study.file), "-m", "1"),
        *("--image", str(case.image), "--clinical", told),
        *(word for n, m in case.masks.items() for word in ("--mask", f"{n}={m}")),
    ]
    settings = {f"HNMETS_{n.upper().replace('.', '__')}": _text(v) for n, v in FLAGS.items()}
    begin, peak = time.perf_counter(), 0
    process = subprocess.Popen(
        words, env=os.environ | settings, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    watched = psutil.Process(process.pid)
    while process.poll() is None:
        family = [watched, *watched.children(recursive=True)]
        peak = max(peak, sum(each.memory_info().rss for each in family if each.is_running()))
        time.sleep(0.05)
    if process.returncode:
        raise RuntimeError(process.stderr.read().decode() if process.stderr else "")
    return time.perf_counter() - begin, peak / 2**30


def steps(study: Study, case: RawCase) -> dict[str, float]:
    """Predict in this process, where everything is imported; return seconds by step."""
    profile = cProfile.Profile()
    profile.runcall(lambda: predict.by_image(study, case, model="1"))
    spent = {
        (Path(file).stem, name): cumulative
        for (file, _, name), (_, _, _, cumulative, _) in pstats.Stats(profile).stats.items()  # type: ignore[attr-defined]  # what the module documents as its table
    }
    return {label: spent[function] for function, label in STEPS.items()}


def _text(value: object) -> str:
    return str(value).replace("'", '"')


if __name__ == "__main__":
    main()
