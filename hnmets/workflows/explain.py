"""`explain`: what one patient's risk stands on, in the fold that has not learned from them."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from feature_store.atomic import write_atomic
from hnmets.datasets.fold_rows import FoldRows, folds_of
from hnmets.domain.case import Case
from hnmets.domain.errors import CaseError, UsageError
from hnmets.explanation.attribution import Attribution, attribute_columns, attribute_modalities
from hnmets.explanation.modality_drop import ModalityDrop, modality_drop
from hnmets.extractors.embedding import CHANNELS
from hnmets.reporting.attribution_figure import attribution_figure, bars_of
from hnmets.reporting.canvas import image_bytes
from hnmets.reporting.explained import Divided, ExplainedCase
from hnmets.workflows.ablation_plan import Plan, prepare
from hnmets.workflows.case_reader import read_case, readings_of
from hnmets.workflows.cross_validation import seeded
from hnmets.workflows.explain_image import FoldNetwork, ImageExplanation, explain_image
from hnmets.workflows.fold_networks import trained_embeddings
from hnmets.workflows.kept_explanations import keep_explanation
from hnmets.workflows.ladder import Choice
from hnmets.workflows.on_case import OnStep, say_nothing
from hnmets.workflows.report import run_with
from hnmets.workflows.study import Study

# The network that was trained in a fold, by the fold's name; None where there is none.
NetworkOf = Callable[[str], FoldNetwork | None]
_MOST_BARS = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class Explanation:
    """What a risk stands on.

    Parameters
    ----------
    rung, fold
        What was explained, and the fold of the first repeat that holds the case out.
    event
        Whether the event was seen.
    modalities, columns
        Log odds of the calibrated risk, divided.
    drops
        The risk with one modality after the other made average.
    image
        The image side, or why there is none.
    files
        Everything that was written.
    run
        Beginning of the key of the newest run whose report shows it; None where none does.
    """

    case_id: str
    rung: str
    fold: str
    event: bool
    risk: float
    modalities: Attribution
    columns: Attribution
    drops: tuple[ModalityDrop, ...]
    image: ImageExplanation | str
    files: tuple[Path, ...]
    run: str | None = None

    def as_json(self) -> dict[str, object]:
        """Return the explanation as a JSON object."""
        image = self.image
        return {
            "case": self.case_id,
            "rung": self.rung,
            "fold": self.fold,
            "event": self.event,
            "risk": self.risk,
            "modalities": _attribution_json(self.modalities),
            "columns": _attribution_json(self.columns),
            "modality_drop": [
                {"modality": d.modality, "risk_without": d.risk_without, "change": d.change}
                for d in self.drops
            ],
            "image": {"none": image} if isinstance(image, str) else image.as_json(),
        }


def run(  # noqa: PLR0913 - what is asked, and who is told; all named
    study: Study,
    case_id: str,
    out: Path,
    *,
    network_of: NetworkOf | None = None,
    shuffles: int = 0,
    on_step: OnStep = say_nothing,
) -> Explanation:
    """Fit the last rung of the ladder as the ladder does, and explain one held-out case.

    The store keeps what the report shows of it, in place of what it had of the case.

    Parameters
    ----------
    network_of
        By default the study's own networks, a Swin before others.
    out
        Folder for `explanation.json`, `risk.png` and the overlays; it is the case's alone.
    shuffles
        See `explain_image`.

    Raises
    ------
    UsageError
        If the case is not in the cohort, has no row, or no fold holds it out.
    InvalidDataError
        See `ablation_plan.prepare`.
    """
    on_step("reading the features")
    plan = prepare(study, Choice())
    fold, seed = _fold_of(plan, case_id)
    on_step(f"fitting {plan.rungs[-1].name} in {fold.fold.name}")
    rung = plan.rungs[-1].candidate(study.selection, study.head)
    training = fold.fitting()
    fitted = rung.fit(training, fold.choosing(), seed=seed)
    case = fold.held_out.among([fold.held_out.case_ids.index(case_id)])
    modalities = attribute_modalities(fitted, case, training)
    columns = attribute_columns(fitted, case, training)
    on_step("looking at the image")
    (asked,) = plan.cohort.chosen((case_id,))
    network = (network_of or _trained(study, plan))(fold.fold.name)
    image = _image_side(study, asked, network, out, shuffles=shuffles)
    found = Explanation(
        case_id=case_id,
        rung=fitted.name,
        fold=fold.fold.name,
        event=bool(case.outcome[0]),
        risk=float(fitted.risk(case)[0]),
        modalities=modalities,
        columns=columns,
        drops=modality_drop(fitted, case, training),
        image=image,
        files=(
            out / "explanation.json",
            out / "risk.png",
            *(() if isinstance(image, str) else image.files),
        ),
    )
    _write(found, out)
    explained = _explained(found, plan)
    keep_explanation(explained, study.store_folder)
    return replace(found, run=run_with(explained, study.store_folder))


def _explained(found: Explanation, plan: Plan) -> ExplainedCase:
    """Return what a report shows of an explanation."""
    image = found.image
    return ExplainedCase(
        case_id=found.case_id,
        rung=found.rung,
        fold=found.fold,
        split_hash=plan.split.hash,
        dataset_digest=plan.dataset.digest,
        event=found.event,
        risk=found.risk,
        modalities=_divided(found.modalities),
        columns=_divided(found.columns),
        image=image if isinstance(image, str) else image.explained,
    )


def _divided(found: Attribution) -> Divided:
    bars = tuple(bars_of(found, _MOST_BARS))
    return Divided(base=found.base, bars=bars, log_odds=found.log_odds)


def _trained(study: Study, plan: Plan) -> NetworkOf:
    """Return what finds the network that the study trained in a fold."""

    def network_of(fold: str) -> FoldNetwork | None:
        trained = [
            each
            for each in trained_embeddings(study)
            if (each.stored.model.fold, each.stored.model.split) == (fold, plan.split.hash)
        ]
        if not trained:
            return None
        chosen = min(trained, key=lambda each: each.stored.model.backbone != "swin")
        # Torch takes seconds to load.
        from hnmets.extractors.trained_engine import classifier_of

        return FoldNetwork(
            name=chosen.stored.model.backbone,
            classifier=classifier_of(
                chosen.stored.path,
                chosen.stored.sha256,
                chosen.parameters,
                channels=len(CHANNELS),
            ),
            embedding=chosen,
        )

    return network_of


def _fold_of(plan: Plan, case_id: str) -> tuple[FoldRows, int]:
    """Return the first fold that holds the case out, and the seed of its models."""
    plan.cohort.chosen((case_id,))
    if reason := plan.dataset.left_out.get(case_id):
        raise UsageError(f"case {case_id} is no row of the ladder: {reason}")
    for fold, seed in seeded(folds_of(plan.dataset, plan.split), plan.study.split.seed):
        if case_id in fold.fold.held_out:
            return fold, seed
    reason = plan.split.left_out.get(case_id, "none of those that can be fitted")
    raise UsageError(f"no fold holds case {case_id} out: {reason}").with_note(
        "A model that has learned from a patient explains what it remembers."
    )


def _image_side(
    study: Study, case: Case, network: FoldNetwork | None, out: Path, *, shuffles: int
) -> ImageExplanation | str:
    if network is None:
        return "no backbone was trained in this fold"
    readings = readings_of(study, [case])
    if not readings:
        return "the cohort names no image for this case"
    try:
        return explain_image(read_case(readings[0]).case, network, out, shuffles=shuffles)
    except CaseError as error:
        # The tables' side stands without the image's.
        return str(error)


def _write(found: Explanation, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    document = json.dumps(found.as_json(), indent=2, ensure_ascii=False, allow_nan=False)
    write_atomic(out / "explanation.json", f"{document}\n".encode())
    title = f"{found.case_id}: risk {found.risk:.2f} by {found.rung}"
    figure = attribution_figure(title, found.modalities, found.columns)
    write_atomic(out / "risk.png", image_bytes(figure, "png"))


def _attribution_json(found: Attribution) -> dict[str, object]:
    return {
        "base": found.base,
        "log_odds": found.log_odds,
        "values": [
            {
                "name": found.names[place],
                "modality": found.modalities[place],
                "log_odds": float(found.values[place]),
                "standard_error": float(found.standard_errors[place]),
            }
            for place in found.strongest
        ],
    }
