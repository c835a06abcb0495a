"""What the images of the synthetic cohort show, and what they hide."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, label
from scipy.stats import skew, spearmanr
from sklearn.metrics import roc_auc_score

from hnmets.sources.synthetic.anatomy import Organ
from hnmets.sources.synthetic.centre import CENTRES
from hnmets.sources.synthetic.cohort import SyntheticCohort
from hnmets.sources.synthetic.image import SyntheticImage, draw_image
from hnmets.sources.synthetic.person import Person

# Whole necks on coarse voxels: every length as in a real case, an eighth of a second each.
COHORT = SyntheticCohort(cases=60, seed=12, spacing_mm=(3.0, 2.0, 2.0))


@dataclass(frozen=True, kw_only=True)
class Drawn:
    person: Person
    image: SyntheticImage
    tumour: NDArray[np.bool_]
    outside_mm: NDArray[np.float64]

    @property
    def hu(self) -> NDArray[np.float64]:
        return self.image.hu[self.tumour].astype(float)

    @property
    def ring_hu(self) -> NDArray[np.float64]:
        shell = (self.outside_mm > 0) & (self.outside_mm <= 5.0) & (self.image.organs > 0)
        hu = self.image.hu[shell].astype(float)
        return hu[(hu >= -300) & (hu <= 300)]


def draw(person: Person, index: int, cohort: SyntheticCohort = COHORT) -> SyntheticImage:
    return draw_image(
        person, seed=cohort.seed, index=index, scale=cohort.scale, spacing_mm=cohort.voxel_mm
    )


@pytest.fixture(scope="module")
def drawn() -> list[Drawn]:
    cases = []
    for index, person in enumerate(COHORT.people()):
        image = draw(person, index)
        tumour = image.gtv == 1
        outside_mm = distance_transform_edt(~tumour, sampling=image.geometry.spacing_mm)
        cases.append(Drawn(person=person, image=image, tumour=tumour, outside_mm=outside_mm))
    return cases


def latent(drawn: list[Drawn], name: str) -> NDArray[np.float64]:
    return np.array([getattr(case.person.latents, name) for case in drawn])


def measured(drawn: list[Drawn], measure: Callable[[Drawn], float]) -> NDArray[np.float64]:
    return np.array([measure(case) for case in drawn])


def neighbour_correlation(case: Drawn) -> float:
    """Correlation of neighbours along a row, as far as the lobes and the noise leave it."""
    pairs = case.tumour[:, :, 1:] & case.tumour[:, :, :-1]
    hu = case.image.hu.astype(float)
    return np.corrcoef(hu[:, :, 1:][pairs], hu[:, :, :-1][pairs])[0, 1]


def diagonal_contrast(case: Drawn) -> float:
    """Mean HU on one diagonal of the axial plane minus the other."""
    _, y, x = np.nonzero(case.tumour)
    same = (x - x.mean()) * (y - y.mean()) > 0
    return case.hu[same].mean() - case.hu[~same].mean()


FIRST_ORDER: tuple[Callable[[Drawn], float], ...] = (
    lambda case: float(case.hu.mean()),
    lambda case: float(case.hu.std()),
    lambda case: float(skew(case.hu)),
    lambda case: float(np.percentile(case.hu, 10)),
)


def test_gtv_is_one_piece_of_5_to_60_cc_that_follows_the_volume_latent(drawn: list[Drawn]) -> None:
    cc = measured(drawn, lambda c: c.tumour.sum() * c.image.geometry.voxel_volume_mm3 / 1000.0)
    assert cc.min() >= 5.0
    assert cc.max() <= 60.0
    assert cc.max() / cc.min() > 5.0
    assert spearmanr(cc, latent(drawn, "volume")).statistic > 0.999
    assert all(label(case.tumour)[1] == 1 for case in drawn)


def test_gtv_lies_in_soft_tissue_of_the_body(drawn: list[Drawn]) -> None:
    for case in drawn:
        assert set(case.image.organs[case.image.gtv > 0]) == {Organ.SOFT_TISSUE}


def test_every_organ_is_there_and_the_body_is_one_piece(drawn: list[Drawn]) -> None:
    for case in drawn[:10]:
        organs = case.image.organs
        assert set(np.unique(organs)) == {0, *(organ.value for organ in Organ)}
        parts, count = label(organs > 0)
        assert np.bincount(parts.ravel())[1:].max() / (organs > 0).sum() > 0.999, count


@pytest.mark.parametrize(
    ("organ", "lowest_hu", "highest_hu"),
    [
        (Organ.FAT, -130, -70),
        (Organ.MUSCLE, 40, 80),
        (Organ.AIRWAY, -1024, -750),
        (Organ.MANDIBLE, 300, 1000),
        (Organ.VERTEBRA, 250, 700),
        (Organ.PAROTID_GLAND, -40, 30),
    ],
)
def test_organs_have_the_hu_of_their_tissue(
    drawn: list[Drawn], organ: Organ, lowest_hu: float, highest_hu: float
) -> None:
    for case in drawn[:10]:
        assert lowest_hu < case.image.hu[case.image.organs == organ].mean() < highest_hu


def test_nodes_follow_the_n_stage_and_keep_clear_of_the_ring(drawn: list[Drawn]) -> None:
    for case in drawn:
        nodes = case.image.gtv == 2
        assert nodes.any() == (case.person.n_stage != "N0")
        assert not nodes.any() or case.outside_mm[nodes].min() > 6.0


def test_first_order_of_the_tumour_is_blind_to_the_texture_which_neighbours_show(
    drawn: list[Drawn],
) -> None:
    texture = latent(drawn, "texture")
    for statistic in FIRST_ORDER:
        seen = spearmanr(measured(drawn, statistic), texture).statistic
        # 2.8 standard errors at n = 60
        assert abs(seen) < 0.36
    assert spearmanr(measured(drawn, neighbour_correlation), texture).statistic > 0.6


def test_the_ring_of_5_mm_shows_the_infiltration_and_the_tumour_does_not(
    drawn: list[Drawn],
) -> None:
    infiltration = latent(drawn, "ring")
    ring_hu = measured(drawn, lambda c: c.ring_hu.mean())
    assert spearmanr(ring_hu, infiltration).statistic > 0.9
    assert roc_auc_score(infiltration > 0, ring_hu) > 0.93
    assert abs(spearmanr(measured(drawn, lambda c: c.hu.mean()), infiltration).statistic) < 0.36


def test_the_diagonals_of_the_tumour_show_the_class_and_its_histogram_does_not(
    drawn: list[Drawn],
) -> None:
    spatial = latent(drawn, "spatial")
    # Dark lobes lie on the diagonal of the class.
    assert roc_auc_score(spatial, -measured(drawn, diagonal_contrast)) > 0.98
    for statistic in (*FIRST_ORDER, neighbour_correlation):
        # 2.8 standard errors of an AUC of 0.5 at n = 60
        assert abs(roc_auc_score(spatial, measured(drawn, statistic)) - 0.5) < 0.21


def test_nothing_outside_the_tumour_knows_the_class(drawn: list[Drawn]) -> None:
    person = drawn[3].person
    flipped = replace(person, latents=replace(person.latents, spatial=-person.latents.spatial))
    one, other = drawn[3].image, draw(flipped, 3)
    np.testing.assert_array_equal(one.gtv, other.gtv)
    np.testing.assert_array_equal(one.organs, other.organs)
    outside = one.gtv != 1
    np.testing.assert_array_equal(one.hu[outside], other.hu[outside])
    assert np.mean(one.hu[~outside] != other.hu[~outside]) > 0.8


def test_tumours_sit_on_either_side_whatever_the_class(drawn: list[Drawn]) -> None:
    side = measured(
        drawn, lambda c: np.sign(np.nonzero(c.tumour)[2].mean() - (c.tumour.shape[2] - 1) / 2)
    )
    assert 0.25 < np.mean(side > 0) < 0.75
    assert abs(np.corrcoef(side, latent(drawn, "spatial"))[0, 1]) < 0.36


def test_each_scanner_has_its_noise_and_its_voxels(drawn: list[Drawn]) -> None:
    for centre in CENTRES:
        cases = [case for case in drawn if case.person.centre == centre]
        assert cases
        for case in cases:
            air = case.image.hu[case.image.organs == 0]
            # Quartiles, because the lowest HU are cut at -1024; a normal's lie 1.349 sd apart.
            spread = np.subtract(*np.percentile(air, [75, 25])) / 1.349
            assert spread == pytest.approx(centre.noise_hu, rel=0.15)
            expected = np.multiply(centre.spacing_factor, COHORT.voxel_mm)
            np.testing.assert_allclose(case.image.geometry.spacing_mm, expected)


def test_noise_of_a_soft_kernel_is_correlated_over_neighbouring_voxels() -> None:
    cohort = SyntheticCohort(cases=1, seed=3, scale=0.4)
    seen = {}
    for centre in CENTRES:
        image = draw(replace(cohort.person(0), centre=centre), 0, cohort)
        corner = image.hu[:, :12, :].astype(float)
        seen[centre.name] = np.corrcoef(corner[..., 1:].ravel(), corner[..., :-1].ravel())[0, 1]
    assert seen["south"] < seen["north"] < seen["west"]


def test_half_the_scale_is_an_eighth_of_the_volume() -> None:
    small = replace(COHORT, scale=0.5, spacing_mm=(1.5, 1.0, 1.0))
    person = COHORT.person(0)
    whole, half = draw(person, 0), draw(person, 0, small)
    ratio = (
        (whole.gtv == 1).sum()
        * whole.geometry.voxel_volume_mm3
        / ((half.gtv == 1).sum() * half.geometry.voxel_volume_mm3)
    )
    assert ratio == pytest.approx(8.0, rel=0.002)


@pytest.mark.parametrize("scale", [0.2, 0.3, 0.5])
def test_small_cohorts_keep_tumours_that_can_be_measured(scale: float) -> None:
    cohort = SyntheticCohort(cases=12, seed=9, scale=scale)
    for index, person in enumerate(cohort.people()):
        tumour = draw(person, index, cohort).gtv == 1
        assert tumour.sum() >= 27
        assert tumour.any(axis=(1, 2)).sum() >= 3
