"""How exactly a caller is told: many exact answers give the model away, and whom it knows."""

from dataclasses import replace

from hnmets.registry.prediction import Answer, Refused


def rounded(answer: Answer, digits: int | None) -> Answer:
    """Return an answer whose risks have so many digits; None leaves it as it is.

    Whether the risk reaches the threshold was decided before.
    """
    if digits is None or isinstance(answer, Refused):
        return answer
    return replace(
        answer,
        risk=round(answer.risk, digits),
        spread=round(answer.spread, digits),
        lowest=round(answer.lowest, digits),
        highest=round(answer.highest, digits),
        contributions=tuple(
            replace(each, log_odds=round(each.log_odds, digits)) for each in answer.contributions
        ),
        members={name: round(risk, digits) for name, risk in answer.members.items()},
    )
