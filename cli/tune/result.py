"""What a search found, for people."""

from typing import TYPE_CHECKING

from cli import render
from cli.ablate import interval

if TYPE_CHECKING:
    from hnmets.tuning.records import Record
    from hnmets.workflows.rung_scores import RungScores
    from hnmets.workflows.tune import Progress, Tuning

SCORES = ("settings", "AUC (95 %)", "oracle", "AUC beyond\nthe line above", "calibration slope")
STUDIES = ("study", "trials", "ended early", "failed", "best inner AUC", "winner", "outer AUC")


def show_result(found: "Tuning") -> None:
    """Print what the tuned settings are worth, and what was searched."""
    nested = found.nested
    has_oracle = [bool(nested.oracles) or name != "oracle" for name in SCORES]
    rows = [
        _scores(scores, nested.oracles.get(scores.out_of_fold.rung.name))
        for scores in nested.scores
    ]
    render.show_table(
        "in outer folds, which no search has seen",
        [name for name, shown in zip(SCORES, has_oracle, strict=True) if shown],
        [[cell for cell, shown in zip(row, has_oracle, strict=True) if shown] for row in rows],
    )
    outer = nested.outer_aucs
    render.show_table(
        f"search {found.search.plan.name}",
        STUDIES,
        [_study(each, outer.get(each.study)) for each in found.studies],
    )
    for line in _remarks(found):
        render.say(line)


def _scores(scores: "RungScores", oracle: float | None) -> tuple[render.Cell, ...]:
    against = scores.against_previous
    return (
        scores.out_of_fold.rung.name,
        interval(scores.measures["auc"]),
        None if oracle is None else f"{oracle:.2f}",
        interval(against.comparison.bootstrap) if against else None,
        interval(scores.measures["calibration_slope"]),
    )


def _study(each: "Progress", outer: float | None) -> tuple[render.Cell, ...]:
    best = each.best.value if each.best else None
    return (
        each.study,
        each.finished,
        each.pruned,
        each.failed,
        None if best is None else f"{best:.3f}",
        _winner(each.winner),
        None if outer is None else f"{outer:.3f}",
    )


def _winner(winner: "Record | None") -> str | None:
    if winner is None:
        return None
    return "as the study" if winner.own else f"trial {winner.number}"


def _remarks(found: "Tuning") -> list[str]:
    nested = found.nested
    lines = []
    if nested.gap is not None:
        lines.append(
            f"the winners had {nested.inner_best:.3f} in the inner folds, {nested.gap:+.3f} "
            "beyond what the outer folds kept: an inner AUC is no performance"
        )
    lines += [f"not searched: {name}, {why}" for name, why in found.search.unsearched.items()]
    if not found.complete:
        lines.append("not all trials have ended; the same command goes on")
    lines += [
        f"settings of the search over everybody: {found.file.name}; "
        f"`hnmets {found.next_step} --study {found.file.name}` fits them",
        f"run {found.run}; `hnmets ui` shows it",
    ]
    if found.waiting:
        lines.append(f"{found.waiting} events wait for MLflow; the next run sends them")
    return lines
