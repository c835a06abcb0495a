"""Choice of the operating threshold, on training patients alone."""

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.errors import InvalidDataError


def youden_threshold(outcome: NDArray[np.bool_], risk: NDArray[np.float64]) -> float:
    """Threshold with the largest sensitivity + specificity - 1 on the training patients.

    A patient is called positive at `risk >= threshold`. Of equally good thresholds the
    highest is taken, which calls the fewest patients. Chosen on training scores it is applied
    unchanged to everybody else: choosing on test scores flatters all that is read off there.

    Parameters
    ----------
    outcome, risk
        Training patients, shape (n,).

    Raises
    ------
    InvalidDataError
        If the training patients are of one class.

    References
    ----------
    Youden 1950, doi:10.1002/1097-0142(1950)3:1<32::AID-CNCR2820030106>3.0.CO;2-3.
    """
    n_events = int(np.count_nonzero(outcome))
    if n_events in {0, len(outcome)}:
        raise InvalidDataError(f"{n_events} of {len(outcome)} training patients have the event")
    order = np.argsort(-risk, kind="stable")
    score = risk[order]
    last_of_ties = np.append(np.diff(score) < 0, True)
    sensitivity = np.cumsum(outcome[order]) / n_events
    false_positive_rate = np.cumsum(~outcome[order]) / (len(outcome) - n_events)
    index = np.where(last_of_ties, sensitivity - false_positive_rate, -np.inf)
    return float(score[np.argmax(index)])
