"""What a person types of one patient is understood or refused, never imputed."""

from pathlib import Path

import pytest

from hnmets.domain.errors import InvalidDataError, UsageError
from hnmets.registry.package import Package
from hnmets.registry.predictor import Predictor
from hnmets.workflows.raw_case import RawCase, measured_inputs
from hnmets.workflows.study import Study
from tests.builders_cohorts import hnmets, raw_case, study_of
from tests.builders_packages import written_package


@pytest.fixture
def study(shared_cohort: Path) -> Study:
    return study_of(shared_cohort, clinical__age__minimum=18, clinical__age__maximum=120)


@pytest.fixture
def package(tmp_path: Path) -> Package:
    return Predictor.load(written_package(tmp_path / "package")[0]).package


@pytest.mark.parametrize(
    ("name", "typed", "why"),
    [
        ("sex", "Male", "not among the values of the column: female, male"),
        ("sex", "m", "not among the values of the column: female, male"),
        ("age", "150", "above the maximum of 120"),
        ("age", "6", "below the minimum of 18"),
        ("age", "old", "not a number"),
        ("age", "nan", "not a number"),
    ],
)
def test_a_typed_value_that_cannot_be_read_is_refused_and_not_imputed(
    study: Study, package: Package, name: str, typed: str, why: str
) -> None:
    whole = raw_case(study, "SYN-0001")
    raw = RawCase(image=whole.image, masks=whole.masks, clinical={name: typed})
    with pytest.raises(UsageError, match=f"clinical variable '{name}' is '{typed}': {why}") as met:
        measured_inputs(study, package, raw)
    allowed = {"sex": "as the study spells it", "age": "a number from 18 to 120 years"}
    assert allowed[name] in met.value.__notes__[0]


@pytest.mark.parametrize("typed", ["", "unknown", "positive"])
def test_missing_as_the_study_spells_it_is_missing(
    study: Study, package: Package, typed: str
) -> None:
    # Whoever is understood is read on: here up to a mask that is not there.
    whole = raw_case(study, "SYN-0001")
    raw = RawCase(image=whole.image, masks={}, clinical={"p16": typed})
    with pytest.raises(InvalidDataError, match="tumour"):
        measured_inputs(study, package, raw)


def test_a_point_is_a_decimal_sign_although_the_table_has_commas(
    shared_cohort: Path, package: Package
) -> None:
    study = study_of(shared_cohort, clinical__age__decimal=",")
    whole = raw_case(study, "SYN-0001")
    for typed in ("51.3", "51,3"):
        raw = RawCase(image=whole.image, masks={}, clinical={"age": typed})
        with pytest.raises(InvalidDataError, match="tumour"):
            measured_inputs(study, package, raw)


def test_a_path_of_nothing_is_named_as_typed_with_its_option(
    study: Study, package: Package
) -> None:
    whole, nothing = raw_case(study, "SYN-0001"), Path("scans/x.nii.gz")
    asked = {
        "--image": RawCase(image=nothing, masks=whole.masks),
        "--tumour": RawCase(image=whole.image, masks={"tumour": nothing}),
        "--mask nodes=…": RawCase(image=whole.image, masks={"nodes": nothing}),
    }
    for option, raw in asked.items():
        with pytest.raises(UsageError, match=r"no file 'scans/x\.nii\.gz'") as caught:
            measured_inputs(study, package, raw)
        assert caught.value.__notes__ == [f"Correct the path of {option}."]


def test_what_would_be_passed_over_is_refused(shared_cohort: Path) -> None:
    asked = ("predict", "--study", shared_cohort)
    twice = hnmets(*asked, "--image", "ct.nii.gz", "--clinical", "age=51,age=61")
    assert (twice.returncode, "'age' is given twice" in twice.stderr) == (2, True)
    stray = hnmets(*asked, "--cases", "SYN-0001", "--clinical", "age=51")
    assert (stray.returncode, "go with --image" in stray.stderr) == (2, True)
