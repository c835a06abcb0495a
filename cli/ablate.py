"""`hnmets ablate`: which modality helps, by how much, and how sure that is."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options, render
from cli.train.backbone import NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hnmets.evaluation.estimate import Measured
    from hnmets.reporting.audit import Control
    from hnmets.reporting.published import Published
    from hnmets.reporting.subgroup import SubgroupRow
    from hnmets.reporting.timed import Timed
    from hnmets.workflows.ablate import Ablation
    from hnmets.workflows.ablation_audits import Audits
    from hnmets.workflows.rung_scores import RungScores

Preset = Annotated[
    str,
    typer.Option(
        "--preset",
        help="ladder; models: every model on all features; paper: the study as published; "
        "backbones: every trained backbone beside its untrained self.",
    ),
]
Backbones = Annotated[
    str | None,
    typer.Option(
        "--backbones",
        help=f"Train what is missing of these, embed by them and compare: {NAMES}.",
    ),
]
Permutations = Annotated[
    int,
    typer.Option(
        min=0,
        help="Repeat the last rung on so many shuffles of the outcome: what is found by chance?",
    ),
]
# Wider tables than a terminal of 100 columns are folded until nobody can read them.
COLUMNS = (
    "rung",
    "AUC (95 %)",
    "oracle",
    "fold\nmean",
    "AUC beyond\nclinical + size",
    "p (Holm)",
)
CONTROLS = ("control", "kind", "model", "AUC (95 %)", "lead of the model")


SUBGROUPS = ("variable", "group", "patients", "events", "AUC (95 %)")
THRESHOLD_COLUMNS = ("rung", "sensitivity", "specificity", "calibration slope")


def ablate(
    study: options.StudyFile = options.DEFAULT_STUDY,
    preset: Preset = "ladder",
    split: options.Split = None,
    permutations: Permutations = 0,
    backbones: Backbones = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Fit and score single modalities, pairs and all of them on the same folds."""
    from hnmets.workflows import ablate as workflow
    from hnmets.workflows import ablate_backbones
    from hnmets.workflows.ladder import Choice, preset_of
    from hnmets.workflows.study import load_study
    from hnmets.workflows.train_backbone import backbone_of

    settings = load_study(study, flags={"split.kind": split})
    names = [backbone_of(name) for name in options.split(backbones, known=NAMES)]
    choice = Choice(preset=preset_of(preset), permutations=permutations)
    with render.progress_bar(quiet=quiet or json) as advance:
        if names:
            found = ablate_backbones.run(settings, names, on_case=advance, arguments=sys.argv[1:])
        else:
            found = workflow.run(settings, choice=choice, on_fold=advance, arguments=sys.argv[1:])
    if json:
        render.show_json(found.as_json())
    else:
        show_ladder(found)


def show_ladder(found: "Ablation") -> None:
    """Print the rungs with their intervals, and what a reader has to know beside them."""
    rows = found.dataset.rows
    shown = [number for number, name in enumerate(COLUMNS) if name != "oracle" or found.oracles]
    cells = [
        _row(scores, found.oracles.get(scores.out_of_fold.rung.name)) for scores in found.scores
    ]
    render.show_table(
        "ladder",
        [COLUMNS[number] for number in shown],
        [[row[number] for number in shown] for row in cells],
    )
    render.show_table(
        "at the thresholds that the training parts chose",
        THRESHOLD_COLUMNS,
        [_threshold_row(scores) for scores in found.scores],
    )
    render.say(
        f"{len(rows.case_ids)} cases, {int(rows.outcome.sum())} with the event, "
        f"{found.split.parameters.label}, split {found.split.hash[:8]}"
    )
    if isinstance(found.timed, str):
        render.say(f"not by when: {found.timed}")
    else:
        show_timed(found.timed)
    if found.published:
        show_published(found.published, found.scores)
    show_audits(found.audits)
    for remark in _remarks(found):
        render.say(remark)


def _remarks(found: "Ablation") -> "Iterator[str]":
    """Say what the numbers cannot carry, who is not in them, and where to go on."""
    from hnmets.reporting.few_events import FEW

    patients = found.scores[0].out_of_fold.predictions
    if min(patients.events, patients.n - patients.events) < FEW:
        yield (
            f"{patients.events} of {patients.n} patients with the event: too few to say which "
            "rung is better; the report says what they cannot show"
        )
    yield from found.remarks
    for reason, count in found.dataset.reasons.items():
        yield f"left out: {count} cases, {reason}"
    for each in found.dataset.absent:
        if each.cases:
            yield f"kept without {each.modality}: {each.cases} cases, imputed in each fold"
    for name, reason in found.unscored.items():
        yield f"not estimable: {name}, {reason}"
    for suspicion in found.suspicions:
        yield f"suspicious: {suspicion}"
    yield f"run {found.run[:8]}; `hnmets report` and `hnmets ui` show it"
    if found.waiting:
        yield f"{found.waiting} events wait for MLflow; the next run sends them"


def show_timed(timed: "Timed") -> None:
    """Print the rungs by the horizon, and what had become of the patients."""
    day = f"by day {timed.horizon_days:.0f}"
    columns = ("rung", "Uno's C", "AUC", "Brier score")
    rows = [
        (each.rung, interval(each.concordance), interval(each.auc), interval(each.brier))
        for each in timed.rungs
    ]
    render.show_table(day, columns, rows)
    dead = f"{timed.died} dead without it" if timed.deaths_known else "deaths not told"
    render.say(
        f"{day}: {timed.event} with the event, {dead}, {timed.event_free} free of "
        f"it, {timed.censored} lost before (by weight), {timed.untimed} without a usable time; "
        f"chance of the event {interval(timed.incidence)}"
    )


def show_published(published: "Published", scores: "Sequence[RungScores]") -> None:
    """Print published figures beside our own."""
    ours = {each.out_of_fold.rung.name: each.measures for each in scores}
    rows = [
        (f.what, f.measure, f"{f.value:.3f}", f.rung, interval(ours[f.rung][f.measure]))
        for f in published.figures
    ]
    columns = ("published", "measure", "value", "our rung", "our value (95 %)")
    render.show_table(published.source, columns, rows)
    render.say(
        f"the cohorts differ: theirs is of {published.cohort}; neither column can be called "
        "better or worse than the other"
    )


def show_audits(audits: "Audits") -> None:
    """Print what the ladder was asked beside its numbers; nothing that was not asked."""
    if audits.subgroups:
        told = [row for row in audits.subgroups if row.auc or row.variable == "centre"]
        render.show_table("subgroups of the last rung", SUBGROUPS, [_subgroup(r) for r in told])
        render.say(f"{len(audits.subgroups) - len(told)} more are too small; the report has them")
    if audits.controls:
        render.show_table("controls", CONTROLS, [_control(each) for each in audits.controls])
    if stability := audits.stability:
        render.say(
            f"{', '.join(stability.perturbations)}: {stability.reproducible} of "
            f"{stability.features} features keep an ICC of 0.75"
        )
    if stability and stability.risk_spread is not None:
        render.say(f"risks of {stability.rung} spread by {stability.risk_spread:.3f} (median)")
    if permutation := audits.permutation:
        render.say(
            f"{permutation.permutations} shuffles of the outcome: {permutation.rung} has a mean "
            f"AUC of {permutation.mean_auc:.2f}, p = {permutation.p_value:.3g}"
        )


def _subgroup(row: "SubgroupRow") -> tuple[str, ...]:
    counts = ["under 10" if n is None else str(n) for n in (row.n, row.events)]
    return (row.variable, row.group, *counts, interval(row.auc) if row.auc else row.why_not)


def _control(control: "Control") -> tuple[str, ...]:
    auc, lead = interval(control.auc), "not compared"
    if control.lead is not None:
        lead = interval(control.lead)
    return (control.name, control.kind, control.rung or "", auc, lead)


def _row(scores: "RungScores", oracle: float | None) -> tuple[str | None, ...]:
    measures = scores.measures
    verdict = scores.against_baseline.verdict if scores.against_baseline else None
    return (
        scores.out_of_fold.rung.name,
        interval(measures["auc"]),
        None if oracle is None else f"{oracle:.2f}",
        _value(measures["fold_mean_auc"]) if "fold_mean_auc" in measures else None,
        interval(measures["delta_auc"]) if "delta_auc" in measures else None,
        None if verdict is None or verdict.adjusted_p is None else f"{verdict.adjusted_p:.3f}",
    )


def _threshold_row(scores: "RungScores") -> tuple[str, ...]:
    names = ("sensitivity", "specificity", "calibration_slope")
    return (scores.out_of_fold.rung.name, *(interval(scores.measures[name]) for name in names))


def _value(measured: "Measured") -> str | None:
    from hnmets.evaluation.estimate import Estimate

    return f"{measured.value:.2f}" if isinstance(measured, Estimate) else None


def interval(measured: "Measured") -> str:
    """Return a number with its interval as people write it, or why there is none."""
    from hnmets.evaluation.estimate import Estimate

    if isinstance(measured, Estimate):
        return f"{measured.value:.2f} ({measured.low:.2f} to {measured.high:.2f})"
    return f"not estimable: {measured.reason}"
