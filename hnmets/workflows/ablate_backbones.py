"""`ablate --backbones`: what is not trained yet is trained, embedded, and compared."""

from collections.abc import Sequence

from hnmets.domain.errors import HnmetsError
from hnmets.networks.architecture import BackboneName
from hnmets.workflows import ablate, features_build, train_backbone
from hnmets.workflows.ablate import Ablation
from hnmets.workflows.ladder import Choice
from hnmets.workflows.on_case import OnCase, ignore
from hnmets.workflows.study import Study


def run(
    study: Study,
    backbones: Sequence[BackboneName],
    *,
    on_case: OnCase = ignore,
    arguments: Sequence[str] = (),
) -> Ablation:
    """Compare backbones under equal budgets: epochs, seeds, folds and everything behind them.

    Each is trained in the folds of the first repeat by the study's [backbone] settings, starts
    from the study's seed, and stands in one table untrained, trained, and fused.

    Raises
    ------
    HnmetsError
        If a fold of one of them could not be trained: a table without it would be of others.
    """
    for name in backbones:
        request = train_backbone.Request(backbone=name)
        trained = train_backbone.run(study, request, on_epoch=on_case, arguments=arguments)
        for fold in trained.failed:
            raise HnmetsError(f"{name}, {fold.fold}: {fold.failure}").with_note(
                f"Compare the others, or train it by other settings: --backbone {name}."
            )
    only = ("cohort", "clinical", "outcome", "embedding")
    features_build.run(study, features_build.Request(only=only), on_case=on_case)
    choice = Choice(preset="backbones", backbones=tuple(backbones))
    return ablate.run(study, choice=choice, on_fold=on_case, arguments=arguments)
