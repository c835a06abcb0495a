"""The truth of a synthetic cohort as it lies beside its data: what nobody can do better than."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from hnmets.sources.synthetic.cohort import GENERATOR_VERSION
from hnmets.sources.synthetic.outcome_model import LATENTS

TRUTH_FILE = "truth.json"
# What of the truth's modalities a kind of feature set can see; an embedding sees the image.
_SEEN_BY = {
    "clinical": ("clinical",),
    "size": ("size",),
    "radiomics": ("radiomics",),
    "embedding": ("radiomics", "spatial"),
    "trained": ("radiomics", "spatial"),
}


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What the generator knows and no table tells.

    Parameters
    ----------
    events
        Whether each case has the event, by case.
    auc
        Oracle AUC of each combination of latents, by `a+b`.
    sees
        Latents that each modality shows.
    """

    events: Mapping[str, bool]
    auc: Mapping[str, float]
    sees: Mapping[str, tuple[str, ...]]

    @classmethod
    def beside(cls, folder: Path) -> Self | None:
        """Read the truth that `write_tables` wrote; None where no such file is there."""
        path = folder / TRUTH_FILE
        told = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
        # A study of real patients may have a file of this name, which means something else.
        if not isinstance(told, dict) or told.get("generator_version") != GENERATOR_VERSION:
            return None
        oracle = told["oracle_auc"]
        return cls(
            events={patient["case_id"]: patient["event"] for patient in told["patients"]},
            auc=oracle["latents"],
            sees={name: tuple(latents) for name, latents in oracle["modality_sees"].items()},
        )

    def speaks_of(self, events: Mapping[str, bool]) -> bool:
        """Tell whether it knows these cases, and their outcome is the one it was drawn with."""
        return events.items() <= self.events.items()

    def oracle_auc(self, kinds: Collection[str]) -> float | None:
        """Return the AUC that feature sets of these kinds allow at best.

        A region's radiomics count as all radiomics: filters look across the tumour's edge.

        Returns
        -------
        float or None
            None with a kind whose sight is unknown, such as an imported table.
        """
        if not kinds or not set(kinds) <= _SEEN_BY.keys():
            return None
        modalities = {modality for kind in kinds for modality in _SEEN_BY[kind]}
        latents = {latent for modality in modalities for latent in self.sees[modality]}
        return self.auc["+".join(name for name in LATENTS if name in latents)]
