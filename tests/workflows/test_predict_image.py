"""From a CT to a risk in one go: the same that the store's features give."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from feature_store.snapshot import read_snapshot
from hnmets.domain.errors import InvalidDataError, UsageError
from hnmets.execution.local import InProcess
from hnmets.sources.synthetic.cohort import SyntheticCohort
from hnmets.tracking.opening import open_tracker
from hnmets.workflows import ablate, features_build, models_register, predict
from hnmets.workflows.build_report import BuildReport
from hnmets.workflows.features_build import Request
from hnmets.workflows.ladder import Choice
from hnmets.workflows.raw_case import RawCase
from hnmets.workflows.study import Study, load_study
from hnmets.workflows.study_sections import View
from tests.builders_cohorts import raw_case, write_cohort

FLAGS = {"split.folds": 2, "split.repeats": 1, "evaluation.draws": 100}
COHORT = SyntheticCohort(cases=40, seed=3, scale=0.25)
VIEW = View(name="fast", features=("clinical", "size", "radiomics.tumour"), model="logistic")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, tracking_template: Path) -> Iterator[Study]:
    """Forty synthetic patients with images; version 1 sees clinic, size and radiomics."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        folder = tmp_path_factory.mktemp("raw") / "cohort"
        file = write_cohort(folder, COHORT)
        found = load_study(file, flags={**FLAGS, "radiomics.regions": ["tumour"]})
        only = ("cohort", "clinical", "outcome", "size", "radiomics")
        features_build.run(found, Request(only=only), executor=InProcess())
        with open_tracker(folder) as tracker:
            ablate.run(found, choice=Choice(views=(VIEW,), only=(VIEW.name,)), tracker=tracker)
        models_register.run(found)
        yield found


@pytest.mark.slow
def test_a_ct_gets_the_risk_that_its_stored_features_get(study: Study) -> None:
    cases = ["SYN-0001", "SYN-0002", "SYN-0040"]
    stored = predict.by_cases(study, cases, model="1")
    assert len(stored.predictions) == 3
    for wanted in stored.predictions:
        found = predict.by_image(study, raw_case(study, wanted.case_id), model="1")
        (answer,) = found.predictions
        assert answer.risk == pytest.approx(wanted.risk, abs=1e-5)
        assert answer.flags == wanted.flags


@pytest.mark.slow
def test_of_a_ct_only_what_the_model_sees_is_measured(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: set[str] = set()
    plain = features_build.run

    def watched(one: Study, request: Request, **more: Any) -> BuildReport:  # noqa: ANN401 - as it is
        report = plain(one, request, **more)
        measured.update(recipe.name for recipe in read_snapshot(one.store_folder).recipes)
        return report

    monkeypatch.setattr(features_build, "run", watched)
    of = load_study(study.file, flags={**FLAGS, "radiomics.regions": ["tumour", "ring"]})
    assert {"radiomics.ring", "size.tumour"} <= {r.name for r in Request().bench(of).recipes}
    (answer,) = predict.by_image(of, raw_case(of, "SYN-0001"), model="1").predictions
    (wanted,) = predict.by_cases(study, ["SYN-0001"], model="1").predictions
    assert answer.risk == pytest.approx(wanted.risk, abs=1e-5)
    assert {name for name in measured if name.startswith("radiomics")} == {"radiomics.tumour"}


@pytest.mark.slow
def test_what_is_not_told_of_a_ct_is_flagged_or_refused(study: Study) -> None:
    whole = raw_case(study, "SYN-0001")
    bare = RawCase(image=whole.image, masks=whole.masks)
    answer = predict.by_image(study, bare, model="1").answers[0]
    # Every variable may be unknown; then nothing of the clinic is known.
    assert "clinical" in str(answer)
    with pytest.raises(InvalidDataError, match="E_"):
        predict.by_image(study, RawCase(image=whole.image, masks={}), model="1")
    with pytest.raises(UsageError, match="no region 'tumor' in the study"):
        predict.by_image(
            study, RawCase(image=whole.image, masks={"tumor": whole.image}), model="1"
        )
    wrong = {**whole.clinical, "weight": "80"}
    with pytest.raises(UsageError, match="no clinical variable 'weight'"):
        predict.by_image(study, RawCase(image=whole.image, masks={}, clinical=wrong), model="1")
    assert np.isfinite(predict.by_cases(study, ["SYN-0001"], model="1").predictions[0].risk)
