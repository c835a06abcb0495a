"""The model card: what a model is for, how it was measured, and what nobody knows of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from hnmets.evaluation.estimate import Measured, measured_text

NOT_REPORTED = "not reported"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number of the evaluation.

    Parameters
    ----------
    logged_as
        Name of the metric in the run; empty where it is none.
    """

    name: str
    value: Measured
    logged_as: str = ""


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One line that a reader asks for; empty where nobody has said it."""

    name: str
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Card:
    """A model card.

    Parameters
    ----------
    title
        Registered name and rung.
    measured
        Whose figures these are.
    unmeasured
        What no figure is of.
    facts
        Intended use, cohort, protocol, inputs and the like.
    figures
        Of the evaluation, with intervals.
    limits
        What the model must not be used for, and what is not known.
    tripod
        The parts of the 27 items of TRIPOD+AI, with what is reported of each.

    References
    ----------
    Mitchell et al. 2019, doi:10.1145/3287560.3287596 (model cards); Collins et al. 2024,
    doi:10.1136/bmj-2023-078378 (TRIPOD+AI).
    """

    title: str
    measured: str
    unmeasured: str
    facts: tuple[Fact, ...]
    figures: tuple[Figure, ...]
    limits: tuple[str, ...]
    tripod: tuple[Fact, ...] = ()


def as_markdown(card: Card, elsewhere: Sequence[str] = ()) -> str:
    """Return the card for people; what is not known says so.

    Parameters
    ----------
    elsewhere
        What came of it on patients of elsewhere, since it was registered.
    """
    lines = [f"# {card.title}", "", "Research use only, not a medical device.", ""]
    lines += [f"- **{fact.name}**: {fact.text or NOT_REPORTED}" for fact in card.facts]
    lines += ["", "## Figures", "", card.measured, "", card.unmeasured, ""]
    lines += ["| measure | value (95 %) |", "|---|---|"]
    lines += [f"| {figure.name} | {measured_text(figure.value)} |" for figure in card.figures]
    lines += ["", "## Limits", "", *(f"- {limit}" for limit in card.limits)]
    if elsewhere:
        lines += ["", "## Elsewhere, since then", "", *(f"- {look}" for look in elsewhere)]
    lines += ["", "## TRIPOD+AI", "", _reported(card), "", "| item | reported |", "|---|---|"]
    lines += [
        f"| {_cell(item.name)} | {_cell(item.text or NOT_REPORTED)} |" for item in card.tripod
    ]
    return "\n".join(lines) + "\n"


def _reported(card: Card) -> str:
    told = sum(1 for item in card.tripod if item.text)
    return (
        f"{told} of {len(card.tripod)} parts have an entry, from the run or by its authors "
        "(`[tripod]` of the study file); an entry is a pointer, not a judgement."
    )


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
