"""Controls and perturbations: builds of their own beside the study, and never in it."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy.stats import spearmanr

from feature_store.recipe import Recipe
from feature_store.snapshot import Snapshot, read_snapshot
from hnmets.domain.errors import Code, UsageError
from hnmets.execution.local import InProcess
from hnmets.imaging.controls import CONTROLS
from hnmets.imaging.perturbations import PATTERNS
from hnmets.sources.synthetic.cohort import SyntheticCohort
from hnmets.workflows import features_build, features_export, features_show, features_status
from hnmets.workflows.build_report import BuildReport
from hnmets.workflows.features_build import Request
from hnmets.workflows.study import Study
from tests.builders_cohorts import case_of, hnmets, study_of, write_cohort

ORIGINAL = {"radiomics__parameters__images": ("Original",), "build__audit_percent": 0.0}
IMAGES = ("radiomics.ring", "radiomics.tumour", "size.nodes", "size.tumour")
EMBEDDINGS = ("embedding.both", "embedding.ring", "embedding.tumour")
SIZE, ALL = ("size",), ()


def study_with(cohort: Path, **flags: object) -> Study:
    return study_of(cohort, **{**ORIGINAL, **flags})


def build(study: Study, only: tuple[str, ...] = ALL, **asked: str | bool) -> BuildReport:
    return features_build.run(study, Request(only=only, **asked), executor=InProcess())


def published(study: Study) -> Snapshot:
    return read_snapshot(study.store_folder)


def names(recipes: tuple[Recipe, ...]) -> list[str]:
    return sorted(recipe.name for recipe in recipes)


def values(study: Study, recipe: str) -> np.ndarray:
    return published(study).matrix([recipe]).values


def total(report: BuildReport) -> int:
    return sum(report.written.values())


def export(study: Study, out: Path, *recipes: str) -> bytes:
    return features_export.run(study, recipes, out, "parquet").read_bytes()


def test_a_control_lies_beside_the_study_and_leaves_its_export_as_it_was(
    cohort: Path, tmp_path: Path
) -> None:
    study = study_with(cohort)
    build(study)
    before = export(study, tmp_path)
    report = build(study, control="shuffled-roi")
    assert not report.failures
    suffixed = [f"{name}~shuffled-roi" for name in (*IMAGES, *EMBEDDINGS)]
    assert sorted(label.split("@")[0] for label in report.written) == sorted(suffixed)
    assert set(report.written.values()) == {6}
    assert total(build(study, control="shuffled-roi")) == 0
    assert total(build(study)) == 0
    assert export(study, tmp_path) == before
    # Contours are the same, voxels are not, and the network sees it.
    same = values(study, "size.tumour~shuffled-roi") == values(study, "size.tumour")
    assert same.all()
    for name in ("radiomics.tumour", "embedding.both", "embedding.tumour"):
        assert (values(study, f"{name}~shuffled-roi") != values(study, name)).any(axis=1).all()


def test_a_control_is_exported_and_shown_where_it_is_named(cohort: Path, tmp_path: Path) -> None:
    study = study_with(cohort)
    build(study, SIZE)
    build(study, SIZE, control="sampled-full")
    state = features_status.run(study)
    assert names(tuple(c.recipe for c in state.coverage)) == ["size.nodes", "size.tumour"]
    assert names(tuple(c.recipe for c in state.altered)) == [
        "size.nodes~sampled-full",
        "size.tumour~sampled-full",
    ]
    assert {recipe["cases"] for recipe in state.as_json()["altered"]} == {6}
    assert b"size.tumour~sampled-full" in export(study, tmp_path, "size.tumour~sampled-full")
    titles = [part.title.split("@")[0] for part in features_show.run(study, "SYN-0001").parts]
    assert titles == [
        "size.nodes",
        "size.tumour",
        "size.nodes~sampled-full",
        "size.tumour~sampled-full",
    ]


def test_a_perturbed_contour_has_sizes_and_rings_of_its_own(cohort: Path) -> None:
    study = study_with(cohort, radiomics__regions=("ring",))
    build(study, ("size", "radiomics"))
    build(study, ("size", "radiomics"), perturb="grow-2mm")
    grown, plain = values(study, "size.tumour~grow-2mm"), values(study, "size.tumour")
    assert (grown > plain).all()
    ring = "radiomics.ring"
    assert (values(study, f"{ring}~grow-2mm") != values(study, ring)).any(axis=1).all()
    build(study, SIZE, perturb="shrink-0mm")
    np.testing.assert_array_equal(values(study, "size.tumour~shrink-0mm"), plain)


@pytest.mark.parametrize("name", ["blank", "mask-only"])
def test_an_empty_image_is_for_the_network(name: str, cohort: Path) -> None:
    study = study_with(cohort)
    report = build(study, control=name)
    suffixed = [f"{n}~{name}" for n in (*EMBEDDINGS, "size.nodes", "size.tumour")]
    assert sorted(label.split("@")[0] for label in report.written) == sorted(suffixed)
    # Masks differ between patients, and masks are all that the network has.
    vectors = values(study, f"embedding.both~{name}")
    assert len(np.unique(vectors, axis=0)) == 6
    with pytest.raises(UsageError, match=f"'{name}' alters no radiomics feature"):
        build(study, ("radiomics",), control=name)


def test_crops_of_a_control_are_not_those_of_the_study(cohort: Path) -> None:
    study = study_with(cohort, embedding__variants=("both",))
    build(study, ("embedding",))
    build(study, ("embedding",), control="mask-only")
    build(study, ("embedding",), control="blank")
    assert len(list((study.store_folder / "crops").glob("*.crop"))) == 3 * 6
    seen = [values(study, f"embedding.both{suffix}") for suffix in ("", "~mask-only", "~blank")]
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert (seen[a] != seen[b]).any(axis=1).all()


def test_another_seed_is_another_recipe_where_something_is_drawn(cohort: Path) -> None:
    seeds = [study_with(cohort, controls__seed=seed) for seed in (0, 1)]
    for study in seeds:
        build(study, SIZE, perturb="contour-2mm")
        build(study, SIZE, perturb="grow-2mm")
    found = names(published(seeds[0]).recipes)
    assert found.count("size.tumour~contour-2mm") == 2
    assert found.count("size.tumour~grow-2mm") == 1


def with_mandible(cohort: Path, **flags: object) -> Study:
    """The size of an organ that is drawn in another file than the tumour."""
    declared = '\n[regions.mandible]\nmask = "nifti/{case}_organs.nii.gz"\nlabel = 1\n'
    text = cohort.read_text(encoding="utf-8")
    if declared not in text:
        cohort.write_text(text + declared, encoding="utf-8")
    return study_with(cohort, size__regions=("mandible",), **flags)


def test_a_changed_tumour_mask_is_a_changed_control_of_every_region(cohort: Path) -> None:
    study = with_mandible(cohort)
    for control in ("shuffled-outside", "shuffled-full"):
        build(study, SIZE, control=control)
    mask = case_of(study, "SYN-0002").masks["tumour"]
    image = nib.load(mask)
    labels = np.asarray(image.dataobj).copy()
    labels[tuple(np.argwhere(labels == 1)[0])] = 0
    nib.save(nib.Nifti1Image(labels, image.affine, image.header), mask)
    assert total(build(study, SIZE, control="shuffled-outside")) == 1
    assert total(build(study, SIZE, control="shuffled-full")) == 0


@pytest.mark.slow
def test_a_planted_texture_is_gone_from_a_control_and_a_planted_volume_is_not(
    tmp_path: Path,
) -> None:
    cohort = write_cohort(tmp_path / "c", SyntheticCohort(cases=30, seed=5, scale=0.5))
    study = study_with(cohort, radiomics__regions=("tumour",))
    patients = json.loads((cohort.parent / "truth.json").read_text())["patients"]
    planted = {name: [p["latents"][name] for p in patients] for name in ("texture", "volume")}

    def ranks_agree(recipe: str, column: str, latent: str) -> float:
        matrix = published(study).matrix([recipe])
        found = matrix.values[:, matrix.columns.index(f"{recipe}.{column}")]
        assert list(matrix.case_ids) == [p["case_id"] for p in patients]
        return float(spearmanr(found, planted[latent]).statistic)

    for control in (None, "shuffled-roi", "sampled-roi", "randomised-roi"):
        features_build.run(
            study, Request(only=("radiomics", "size"), control=control), executor=InProcess()
        )
        suffix = f"~{control}" if control else ""
        # How alike neighbouring voxels are: what the length of the planted texture sets.
        texture = ranks_agree(f"radiomics.tumour{suffix}", "original_glcm_Correlation", "texture")
        # By chance alone, 30 patients reach 0.36 once in twenty times.
        assert texture < 0.36 if control else texture > 0.6
        assert ranks_agree(f"size.tumour{suffix}", "mesh_volume_cc", "volume") > 0.99


def test_what_fails_in_a_control_does_not_fail_in_the_study(cohort: Path) -> None:
    study = study_with(cohort)
    build(study, SIZE)
    report = build(study, SIZE, perturb="shrink-20mm")
    assert {(f.code, f.stage) for f in report.failures} == {
        (Code.REGION_EMPTY, "read~shrink-20mm")
    }
    assert total(build(study, SIZE)) == 0
    stages = {q.stage for q in features_status.run(study).quarantined}
    assert stages == {"read~shrink-20mm"}
    build(study, SIZE, force=True)
    assert {q.stage for q in features_status.run(study).quarantined} == stages


def test_a_control_that_fails_on_new_files_takes_no_row_from_the_study(
    cohort: Path, tmp_path: Path
) -> None:
    study = study_with(cohort)
    build(study, SIZE)
    before = export(study, tmp_path)
    for file in cohort.parent.rglob("*.nii.gz"):
        file.touch()
    assert build(study, SIZE, perturb="shrink-20mm").failures
    assert export(study, tmp_path) == before


def test_rows_of_a_control_stay_while_the_files_they_hang_on_are_the_same(cohort: Path) -> None:
    study = with_mandible(cohort)
    build(study, SIZE, control="shuffled-outside")
    strict = with_mandible(cohort, regions__tumour__minimum_voxels=10**6)
    assert len(build(strict, SIZE).failures) == 6
    assert [c.n_cases for c in features_status.run(study).altered] == [6]


def test_tables_are_not_altered(cohort: Path) -> None:
    with pytest.raises(UsageError, match="'grow-1mm' alters no clinical feature"):
        build(study_with(cohort), ("clinical",), perturb="grow-1mm")


def test_controls_and_perturbations_are_one_build_each(cohort: Path) -> None:
    with pytest.raises(UsageError, match="not both at once"):
        build(study_with(cohort), control="shuffled-roi", perturb="grow-1mm")


def test_the_region_of_the_controls_is_a_setting(cohort: Path) -> None:
    with pytest.raises(UsageError, match="needs a drawn region 'gtv'") as caught:
        build(study_with(cohort, controls__region="gtv"), SIZE, control="shuffled-roi")
    assert "[controls] region" in caught.value.__notes__[0]


def test_the_program_lists_what_there_is_and_refuses_the_rest(cohort: Path) -> None:
    told = "".join(hnmets("features", "build", "--help", COLUMNS="200").stdout.split())
    for word in ("shuffled-roi", "randomised-", "sampled-", "full", "outside", *CONTROLS[-2:]):
        assert word in told
    for pattern in PATTERNS:
        assert pattern in told
    arguments = ("features", "build", "--study", cohort, "--only", "size")
    refused = hnmets(*arguments, "--control", "shuffled-all")
    assert refused.returncode == 2
    assert "no control 'shuffled-all'" in refused.stderr
    assert "randomised-outside" in refused.stderr
    planned = hnmets(*arguments, "--perturb", "shift-2mm", "--dry-run", "--json")
    assert all("~shift-2mm@" in label for label in json.loads(planned.stdout)["missing"])
    hnmets(*arguments)
    assert hnmets(*arguments, "--perturb", "shift-2mm").returncode == 0
    for command in ("status", "list"):
        shown = hnmets("features", command, "--study", cohort, COLUMNS="120").stdout
        assert shown.index("controls and perturbations") < shown.index("size.tumour~shift-2mm@")
        assert shown.index("size.tumour@") < shown.index("controls and perturbations")
