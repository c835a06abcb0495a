"""Who a synthetic patient is: latents, outcome, and what the clinic wrote down."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from hnmets.sources.synthetic.centre import CENTRES, Centre
from hnmets.sources.synthetic.outcome_model import LATENTS, OutcomeModel
from hnmets.sources.synthetic.randomness import Purpose, stream

SUBSITES = ("oropharynx", "oral_cavity", "larynx", "hypopharynx", "nasopharynx")
_SUBSITE_SHARES = (0.45, 0.15, 0.20, 0.13, 0.07)


@dataclass(frozen=True, kw_only=True)
class OrderedVariable:
    """An ordered clinical variable that leans on the clinical latent.

    Parameters
    ----------
    values
        Lowest risk first.
    shares
        Of the patients, by value.
    loading
        Correlation of what lies behind the value with the clinical latent.
    missing
        Share of patients without an entry.
    """

    values: tuple[str, ...]
    shares: tuple[float, ...]
    loading: float
    missing: float


# T leans on the clinical latent, not on the drawn volume: the clinical columns must not carry
# what the oracle books under `volume`. N leans on it weakly, because the drawn nodes show it.
ORDERED_VARIABLES: dict[str, OrderedVariable] = {
    "sex": OrderedVariable(
        values=("female", "male"), shares=(0.25, 0.75), loading=0.45, missing=0.0
    ),
    "smoking": OrderedVariable(
        values=("never", "former", "current"), shares=(0.25, 0.35, 0.40), loading=0.7, missing=0.06
    ),
    "alcohol": OrderedVariable(
        values=("none", "moderate", "heavy"), shares=(0.30, 0.40, 0.30), loading=0.7, missing=0.12
    ),
    "t_stage": OrderedVariable(
        values=("T1", "T2", "T3", "T4"), shares=(0.15, 0.30, 0.27, 0.28), loading=0.5, missing=0.02
    ),
    "n_stage": OrderedVariable(
        values=("N0", "N1", "N2", "N3"), shares=(0.28, 0.15, 0.50, 0.07), loading=0.3, missing=0.02
    ),
    "p16": OrderedVariable(
        values=("positive", "negative"), shares=(0.5, 0.5), loading=0.4, missing=0.15
    ),
}
AGE_LOADING = 0.8
_AGE_MISSING = 0.01
# Outside the oropharynx p16 is rarely stained.
_P16_MISSING_ELSEWHERE = 0.8


@dataclass(frozen=True, kw_only=True)
class Latents:
    """What drives outcome, image and table of one patient; see `OutcomeModel`."""

    clinical: float
    volume: float
    texture: float
    ring: float
    spatial: float


@dataclass(frozen=True, kw_only=True)
class Person:
    """One synthetic patient, before any voxel is drawn.

    Parameters
    ----------
    risk
        True chance of distant metastasis, from which the event was drawn.
    dm_time_days, follow_up_days
        Days from diagnosis; the event, where there is one, lies within follow-up.
    subsite, n_stage
        The truth, which the table may lack.
    recorded
        Clinical columns as the table shows them; "" and "unknown" where not known.
    """

    case_id: str
    patient_id: str
    centre: Centre
    latents: Latents
    risk: float
    event: bool
    dm_time_days: int | None
    follow_up_days: int
    subsite: str
    n_stage: str
    recorded: Mapping[str, str]


def draw_latents(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    """Draw latents, float64 (n, 5), columns in the order of `LATENTS`."""
    normal = rng.standard_normal((n, 4))
    spatial = 2.0 * rng.integers(0, 2, (n, 1)) - 1.0
    return np.concatenate([normal, spatial], axis=1)


def draw_person(*, seed: int, index: int, model: OutcomeModel) -> Person:
    """Draw the patient with this number; always the same for the same seed."""
    rng = stream(seed=seed, index=index, purpose=Purpose.PERSON)
    vector = draw_latents(rng, 1)
    latents = Latents(**dict(zip(LATENTS, vector[0].tolist(), strict=True)))
    risk = float(model.risk(vector)[0])
    event = bool(rng.random() < risk)
    dm_time_days, follow_up_days = _times(rng, event=event)
    centre = CENTRES[rng.choice(len(CENTRES), p=[c.share for c in CENTRES])]
    truth = _clinical_truth(rng, latents.clinical)
    return Person(
        case_id=f"SYN-{index + 1:04d}",
        patient_id=f"P{index + 1:04d}",
        centre=centre,
        latents=latents,
        risk=risk,
        event=event,
        dm_time_days=dm_time_days,
        follow_up_days=follow_up_days,
        subsite=truth["subsite"],
        n_stage=truth["n_stage"],
        recorded=_recorded(rng, truth),
    )


def latent_matrix(people: Sequence[Person]) -> NDArray[np.float64]:
    """Latents of many patients, float64 (n, 5), columns in the order of `LATENTS`."""
    return np.array([[asdict(p.latents)[name] for name in LATENTS] for p in people])


def _times(rng: np.random.Generator, *, event: bool) -> tuple[int | None, int]:
    full_days = int(rng.integers(730, 2200))
    early_days = int(rng.integers(60, 700))
    lost_early = bool(rng.random() < 0.08)
    event_days = int(np.clip(np.exp(rng.normal(np.log(330), 0.6)), 45, 1800))
    if not event:
        # Loss to follow-up touches only those without the event: `distant_metastasis` stays
        # the draw of the outcome model.
        return None, early_days if lost_early else full_days
    return event_days, max(full_days, event_days + 14)


def _clinical_truth(rng: np.random.Generator, clinical: float) -> dict[str, str]:
    behind_age = _lean(rng, clinical, AGE_LOADING)
    truth = {"age": f"{np.clip(62.0 + 10.0 * behind_age, 21.0, 95.0):.1f}"}
    for column, scale in ORDERED_VARIABLES.items():
        limits = ndtri(np.cumsum(scale.shares)[:-1])
        level = int(np.searchsorted(limits, _lean(rng, clinical, scale.loading)))
        truth[column] = scale.values[level]
    truth["subsite"] = str(rng.choice(SUBSITES, p=_SUBSITE_SHARES))
    return truth


def _lean(rng: np.random.Generator, clinical: float, loading: float) -> float:
    own = float(rng.standard_normal())
    return float(loading * clinical + np.sqrt(1.0 - loading**2) * own)


def _recorded(rng: np.random.Generator, truth: Mapping[str, str]) -> dict[str, str]:
    recorded = {}
    for column, value in truth.items():
        lost = rng.random() < _missing_share(column, truth["subsite"])
        word = "" if column == "age" or rng.random() < 0.6 else "unknown"
        recorded[column] = word if lost else value
    return recorded


def _missing_share(column: str, subsite: str) -> float:
    if column == "p16" and subsite != "oropharynx":
        return _P16_MISSING_ELSEWHERE
    if column == "age":
        return _AGE_MISSING
    return ORDERED_VARIABLES[column].missing if column in ORDERED_VARIABLES else 0.0
