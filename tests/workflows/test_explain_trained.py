"""A network trained in its fold, explained for a patient of the other, and shown in the report."""

import re
from pathlib import Path

import numpy as np
import pytest

from feature_store.snapshot import read_snapshot
from hnmets.datasets.provenance import patient_digest
from hnmets.networks.fold_model import read_fold_model
from hnmets.tracking.in_memory import InMemoryTracker
from hnmets.workflows import ablate, explain, report
from hnmets.workflows.cohort_table import read_cohort
from hnmets.workflows.explain_image import ImageExplanation
from hnmets.workflows.fold_networks import weights_path
from hnmets.workflows.store_view import in_view
from hnmets.workflows.study import Study
from hnmets.workflows.study_split import study_split
from tests.builders_backbones import build, settings, train, with_crops

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


@pytest.fixture(scope="module")
def study(one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A cohort whose trained networks have embedded everybody."""
    study = settings(with_crops(tmp_path_factory.mktemp("explained")))
    train(study)
    build(study)
    return study


def test_each_case_is_explained_by_the_network_that_never_saw_it_and_is_in_the_report(
    study: Study, tmp_path: Path
) -> None:
    cohort = read_cohort(study)
    split = study_split(study, cohort, in_view(cohort, read_snapshot(study.store_folder)))
    of_patient = {subject.case_id: subject.patient_id for subject in split.subjects}
    networks = {
        fold.name: read_fold_model(weights_path(study, "cnn", fold.name)).model
        for fold in split.folds[:2]
    }
    first, second = split.folds[:2]
    # Of each fold a case that the network of the other one was fitted on.
    asked = {
        fold.name: next(case for case in other.fitting() if case in fold.held_out)
        for fold, other in ((first, second), (second, first))
    }
    explained = [explain.run(study, case, tmp_path / case) for case in asked.values()]
    for found in explained:
        digest = patient_digest(of_patient[found.case_id])
        assert found.case_id == asked[found.fold]
        assert digest not in networks[found.fold].patients
        assert any(digest in other.patients for other in networks.values())
        assert "trained.cnn" in found.modalities.names
        image = found.image
        assert isinstance(image, ImageExplanation)
        assert image.network == "cnn"
        assert image.gradients.completeness_error < 0.01
        hidden = [each.look for each in image.occlusions]
        for values in (image.gradients.attributions, hidden):
            assert np.isfinite(values).all()
            assert np.any(values)
    main = ablate.run(study, tracker=InMemoryTracker()).scores[-1].out_of_fold.predictions
    page = report.run(study, tmp_path / "report.html").read_text()
    assert re.findall(r"<h3>(SYN-\d+): risk", page) == sorted(asked.values())
    assert page.count('<img src="data:image/png') == 3 * 2 * len(asked)
    for found in explained:
        place = main.patient_ids.index(of_patient[found.case_id])
        assert found.risk == pytest.approx(main.risk[0, place], abs=1e-4)
        assert f'<data value="{found.risk!r}">' in page
