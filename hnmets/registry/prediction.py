"""What a model says of one patient."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum

CASE_ID = "case_id"


class FlagCode(StrEnum):
    """What a reader has to know beside the risk, by the name that programs know."""

    IMPUTED = "imputed"
    MODALITY_ABSENT = "modality absent"
    FAR = "far from training"
    UNUSUAL = "unusual as a whole"
    TRAINED_ON = "trained on"
    TRAINED_ON_UNKNOWN = "trained on: unknown"
    UNMEASURED = "unmeasured"
    QUALITY = "quality"


@dataclass(frozen=True, kw_only=True)
class Flag:
    """A warning; it names columns and feature sets, never values."""

    code: FlagCode
    text: str


@dataclass(frozen=True, kw_only=True)
class Contribution:
    """What one input does to the risk.

    Parameters
    ----------
    log_odds
        Of the risk, minus the log odds with the training mean in place of the input. Of two
        inputs that say the same either alone seems to matter little; they do not add up.
    """

    name: str
    log_odds: float


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What a model says of one patient.

    Parameters
    ----------
    risk
        Mean over the members.
    spread
        Standard deviation over the members: how much the model hangs on whom it learned from.
        It is no confidence interval of the patient's risk.
    lowest, highest
        Over the members.
    threshold, positive
        Stored threshold, and whether the risk reaches it.
    members
        Risk by member, where it was asked for.
    """

    case_id: str
    risk: float
    spread: float
    lowest: float
    highest: float
    threshold: float
    positive: bool
    flags: tuple[Flag, ...] = ()
    contributions: tuple[Contribution, ...] = ()
    members: Mapping[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """Return the prediction as a JSON object."""
        document = asdict(self)
        document["flags"] = [{"code": f.code.value, "text": f.text} for f in self.flags]
        document["contributions"] = [asdict(each) for each in self.contributions]
        return document


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A patient of whom a model says nothing, and why."""

    case_id: str
    reason: str

    def as_json(self) -> dict[str, object]:
        """Return the refusal as a JSON object."""
        return asdict(self)


Answer = Prediction | Refused


def as_row(answer: Answer) -> dict[str, object]:
    """Return an answer as one row of a table; what was refused has a reason and no risk."""
    if isinstance(answer, Refused):
        return {CASE_ID: answer.case_id, "risk": None, "refused": answer.reason}
    return {
        CASE_ID: answer.case_id,
        "risk": answer.risk,
        "spread_over_members": answer.spread,
        "threshold": answer.threshold,
        "positive": answer.positive,
        "flags": "; ".join(f"{flag.code}: {flag.text}" for flag in answer.flags),
        "refused": "",
        "contributions": json.dumps({c.name: c.log_odds for c in answer.contributions}),
        "members": json.dumps(dict(answer.members)),
    }
