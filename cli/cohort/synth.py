"""`hnmets cohort synth`: a cohort whose truth is known."""

from pathlib import Path
from typing import Annotated

import typer

from cli import options, render

Out = Annotated[Path, typer.Option("--out", "-o", help="Folder to write.")]
Scale = Annotated[
    float, typer.Option("--scale", help="Size of the volumes, 0.2 to 1; 1 is a whole neck.")
]


def synth(
    out: Out,
    cases: options.SyntheticCases = 40,
    seed: options.Seed = 1,
    scale: Scale = 1.0,
    jobs: options.Jobs = None,
    quiet: options.Quiet = False,
) -> None:
    """Make a head-and-neck-like cohort: CT, masks, clinical table, study file, truth."""
    from hnmets.sources.synthetic.cohort import SyntheticCohort
    from hnmets.workflows import cohort_synth as workflow

    parameters = SyntheticCohort(cases=cases, seed=seed, scale=scale)
    with render.progress_bar(quiet=quiet) as advance:
        made = workflow.run(out, parameters, jobs=jobs or 1, on_case=advance)
    render.say(f"{made.cases} patients, {made.events} with distant metastasis, in {out}")
    if not quiet:
        render.hint(f"next: hnmets cohort check --study {out / 'study.toml'}")
