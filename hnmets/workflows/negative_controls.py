"""Whether a model needs the image at all: rungs on destroyed images, and against size alone."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from hnmets.datasets.dataset import Dataset
from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.evaluation.comparison import paired_bootstrap
from hnmets.evaluation.discrimination import pooled_auc
from hnmets.imaging import controls as imaging
from hnmets.reporting.audit import Control
from hnmets.workflows.altered_rows import Altered
from hnmets.workflows.cross_validation import OutOfFold
from hnmets.workflows.procedure import Procedure

# Families that see voxels; the size of a region is the same in every control.
_OF_VOXELS = ("radiomics", "embedding", "trained")
_MANNERS = {
    "shuffled": "shuffled",
    "randomised": "drawn evenly between the lowest and the highest of them",
    "sampled": "drawn anew from among them",
}
_CONSTANT = {
    "blank": "all voxels are soft tissue, so that only the masks are left",
    "mask-only": "all voxels are air, so that only the masks are left",
}


def negative_controls(
    procedure: Procedure,
    dataset: Dataset,
    altered: Sequence[Altered],
    rungs: Sequence[OutOfFold],
) -> tuple[Control, ...]:
    """Hold rungs against size alone, and against what the store's controls left of the images.

    Each control stands in for the real image in up to three rungs: all radiomics, the main
    embedding, the headline. Folds, model and seeds are those of the rung. Where cases lack the
    control, the rung itself is fitted again without them, so that both learned from and were
    scored on the same patients.

    Parameters
    ----------
    altered
        Of the store; perturbations among them are passed over.
    rungs
        The ladder on the real images, the headline last.

    References
    ----------
    Welch et al. 2019, doi:10.1016/j.radonc.2018.10.027.
    """
    kinds = dataset.kinds
    trial = _Trial(procedure=procedure, dataset=dataset, kinds=kinds, rungs=rungs)
    found = _against_size(kinds, rungs, procedure.bootstrap)
    for each in altered:
        if isinstance(each.alteration, imaging.Control):
            found += trial.of(each, each.alteration)
    return tuple(found)


@dataclass(frozen=True, kw_only=True)
class _Trial:
    """Rungs to be repeated on destroyed images.

    Parameters
    ----------
    kinds
        Family of each recipe, by name.
    """

    procedure: Procedure
    dataset: Dataset
    kinds: Mapping[str, str]
    rungs: Sequence[OutOfFold]

    def of(self, altered: Altered, control: imaging.Control) -> list[Control]:
        """Hold each rung that the control can stand in for against itself."""
        targets = self._targets(altered)
        names = dict.fromkeys(n for t in targets for n in _of_voxels(self.kinds, t.rung.recipes))
        if not names:
            return []
        shown = altered.shown(self.dataset, names)
        lacking = len(self.dataset.rows.case_ids) - len(shown.rows.case_ids)
        destroyed = self._scored(shown, targets, f"control {control.name}")
        real = self._without(shown, targets) if lacking else targets
        bootstrap = self.procedure.bootstrap
        return [
            Control(
                kind="negative control",
                name=control.name,
                what=_what(control, lacking),
                auc=pooled_auc(after.predictions, bootstrap),
                lead=paired_bootstrap(before.predictions, after.predictions, bootstrap),
                rung=before.rung.name,
            )
            for before, after in zip(real, destroyed, strict=True)
        ]

    def _without(self, shown: Dataset, targets: Sequence[OutOfFold]) -> Sequence[OutOfFold]:
        """Fit the rungs on the real images of the cases that the control has."""
        cases = frozenset(shown.rows.case_ids)
        same = self.dataset.among(cases, reason="the control lacks it")
        return self._scored(same, targets, f"real images of {len(cases)} cases")

    def _scored(
        self, dataset: Dataset, targets: Sequence[OutOfFold], what: str
    ) -> Sequence[OutOfFold]:
        return self.procedure.scored(dataset, [each.rung for each in targets], what=what).rungs

    def _targets(self, altered: Altered) -> list[OutOfFold]:
        """Return the rungs of whose recipes that see voxels the control has every one."""
        able = [
            each
            for each in self.rungs
            if altered.recipes.keys() >= {*_of_voxels(self.kinds, each.rung.recipes)}
        ]
        pure = [_largest(self.kinds, kind, able) for kind in _OF_VOXELS]
        names = {each.rung.name for each in (*pure, self.rungs[-1]) if each is not None}
        return [each for each in able if each.rung.name in names]


def _against_size(
    kinds: Mapping[str, str], rungs: Sequence[OutOfFold], bootstrap: Bootstrap
) -> list[Control]:
    """Hold radiomics and embedding against the rung that knows sizes and nothing else."""
    size = _largest(kinds, "size", rungs)
    models = [_largest(kinds, kind, rungs) for kind in _OF_VOXELS]
    return [
        Control(
            kind="size alone",
            name="size",
            what="only the size of the regions was given",
            auc=pooled_auc(size.predictions, bootstrap),
            lead=paired_bootstrap(model.predictions, size.predictions, bootstrap),
            rung=model.rung.name,
        )
        for model in models
        if size is not None and model is not None
    ]


def _largest(kinds: Mapping[str, str], kind: str, rungs: Sequence[OutOfFold]) -> OutOfFold | None:
    """Return the rung with the most recipes of one family and no other; the first of equals."""
    pure = [each for each in rungs if {kinds[name] for name in each.rung.recipes} == {kind}]
    return max(pure, key=lambda each: len(each.rung.recipes), default=None)


def _of_voxels(kinds: Mapping[str, str], recipes: Collection[str]) -> list[str]:
    return [name for name in recipes if kinds[name] in _OF_VOXELS]


def _what(control: imaging.Control, lacking: int) -> str:
    """Return what was destroyed, and how many cases are missing on both sides."""
    without = f"; {lacking} cases lack it and are left out on both sides" if lacking else ""
    if control.is_constant:
        return _CONSTANT[control.name] + without
    manner, extent = control.name.split("-")
    where = {
        "full": "all voxels of the image",
        "roi": f"the voxels inside the {control.region}",
        "outside": f"the voxels outside the {control.region}",
    }[extent]
    return f"{where} were {_MANNERS[manner]}{without}"
