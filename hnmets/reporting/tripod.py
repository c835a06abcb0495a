"""TRIPOD+AI filled from the findings: what a run knows, what people said, what is blank."""

from collections.abc import Callable
from dataclasses import dataclass

from hnmets.reporting.findings import Findings
from hnmets.reporting.tripod_items import TRIPOD_ITEMS, TripodItem


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the run says about an item.

    Parameters
    ----------
    section
        Section of the report where it stands; empty where the text is all.
    """

    text: str
    section: str = ""


@dataclass(frozen=True, kw_only=True)
class TripodLine:
    """An item and what is reported of it.

    Parameters
    ----------
    generated
        From the run; None where the run does not know.
    stated
        By the authors; empty where they said nothing.
    """

    item: TripodItem
    generated: Answer | None
    stated: str

    @property
    def reported(self) -> bool:
        """Whether there is anything."""
        return self.generated is not None or bool(self.stated)

    @property
    def text(self) -> str:
        """What is reported, in one line; empty where nothing is."""
        said = self.generated.text if self.generated else ""
        return ". ".join(part for part in (said, self.stated) if part)


def tripod_lines(findings: Findings) -> tuple[TripodLine, ...]:
    """Return all items in their order."""
    return tuple(
        TripodLine(
            item=item,
            generated=_GENERATED[item.number](findings) if item.number in _GENERATED else None,
            stated=findings.statements.get(item.number, "").strip(),
        )
        for item in TRIPOD_ITEMS
    )


def _title(findings: Findings) -> Answer:
    return Answer(
        text=f"{findings.study}: models for {findings.endpoint.name} developed and "
        "internally validated",
        section="summary",
    )


def _objectives(_: Findings) -> Answer:
    return Answer(text="development with internal validation; no external evaluation")


def _preparation(findings: Findings) -> Answer | None:
    if not findings.lineage.recipes:
        return None
    return Answer(text="recipes and their fingerprints", section="lineage")


def _outcome(findings: Findings) -> Answer:
    return Answer(text=findings.endpoint.definition, section="cohort")


def _predictors(findings: Findings) -> Answer:
    names = dict.fromkeys(part for rung in findings.rungs for part in rung.contains)
    return Answer(text=", ".join(names), section="ladder")


def _sample_size(_: Findings) -> Answer:
    return Answer(text="all included patients; no calculation by the run", section="cohort")


def _missing(findings: Findings) -> Answer | None:
    return Answer(text="by variable", section="cohort") if findings.missing else None


def _division(findings: Findings) -> Answer:
    return Answer(
        text=f"{findings.protocol.split_kind}, grouped by {findings.protocol.grouped_by}",
        section="protocol",
    )


def _handling(findings: Findings) -> Answer | None:
    if not findings.selections:
        return None
    return Answer(text="selection inside each training part", section="features")


def _models(findings: Findings) -> Answer:
    models = dict.fromkeys(rung.model for rung in findings.rungs)
    return Answer(text=", ".join(models), section="ladder")


def _measures(_: Findings) -> Answer:
    return Answer(
        text="discrimination, calibration, operating point and net benefit, with intervals",
        section="ladder",
    )


def _predicted(_: Findings) -> Answer:
    return Answer(
        text="every patient by models that were trained without that patient", section="protocol"
    )


def _recalibration(findings: Findings) -> Answer:
    return Answer(text=findings.protocol.calibration_rule, section="protocol")


def _subgroups(findings: Findings) -> Answer | None:
    if not findings.subgroups:
        return None
    return Answer(text="performance by subgroup", section="subgroups")


def _output(findings: Findings) -> Answer:
    return Answer(text=f"probability; threshold: {findings.protocol.threshold_rule}")


def _same_data(findings: Findings) -> Answer:
    return Answer(
        text=f"parts of one cohort, divided by {findings.protocol.split_kind}",
        section="protocol",
    )


def _flow(_: Findings) -> Answer:
    return Answer(text="flow with one reason for each case left out", section="cohort")


def _participants(findings: Findings) -> Answer:
    known = ["patients", "events"]
    known += ["median follow-up"] if findings.endpoint.follow_up_days is not None else []
    known += ["missing data by variable"] if findings.missing else []
    return Answer(text=f"{', '.join(known)}; no table of characteristics", section="cohort")


def _counts(_: Findings) -> Answer:
    return Answer(text="the same patients and events for every model", section="ladder")


def _performance(findings: Findings) -> Answer:
    text = "ladder and subgroups" if findings.subgroups else "ladder; no subgroups"
    return Answer(text=text, section="ladder")


def _centres(findings: Findings) -> Answer | None:
    by_centre = findings.protocol.split_kind == "centre" or any(
        row.variable == "centre" for row in findings.subgroups
    )
    return Answer(text="performance by centre", section="subgroups") if by_centre else None


def _interpretation(_: Findings) -> Answer:
    return Answer(text="against clinical + size, from the numbers alone", section="summary")


def _limits(_: Findings) -> Answer:
    return Answer(text="those that follow from the run", section="limits")


_GENERATED: dict[str, Callable[[Findings], Answer | None]] = {
    "1": _title,
    "4": _objectives,
    "7": _preparation,
    "8a": _outcome,
    "9b": _predictors,
    "10": _sample_size,
    "11": _missing,
    "12a": _division,
    "12b": _handling,
    "12c": _models,
    "12d": _centres,
    "12e": _measures,
    "12g": _predicted,
    "13": _recalibration,
    "14": _subgroups,
    "15": _output,
    "16": _same_data,
    "20a": _flow,
    "20b": _participants,
    "21": _counts,
    "23a": _performance,
    "23b": _centres,
    "25": _interpretation,
    "26": _limits,
}
