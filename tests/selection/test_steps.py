import numpy as np
import pytest

from hnmets.selection.components import PrincipalComponents
from hnmets.selection.errors import ColumnsDifferError
from hnmets.selection.forest import ForestSelection
from hnmets.selection.scaling import Scaling
from hnmets.selection.zero_variance import ZeroVariance
from tests.builders_rows import train_rows

RNG = np.random.default_rng(5)
EVENT = np.arange(200) % 4 == 0
FEW = ForestSelection(trees=50, top=2)


def test_constant_columns_go_and_rounding_is_no_variance() -> None:
    jitter = 1e6 * (1 + 1e-14 * np.arange(4))
    values = np.column_stack([np.full(4, 7.0), np.zeros(4), jitter, [0, 0, 0, 1e-9]])
    assert ZeroVariance().fit(train_rows(values, EVENT[:4])).places.tolist() == [3]


def test_a_category_that_no_training_case_has_goes() -> None:
    values = np.array([[1.0, 0, 0], [0, 1.0, 0]])
    assert ZeroVariance().fit(train_rows(values, [True, False])).places.tolist() == [0, 1]


def test_scaling_measures_in_training_deviations() -> None:
    # 2, 4, 6: mean 4, population deviation sqrt(8/3).
    rows = train_rows(np.array([[2.0, 5], [4, 5], [6, 5]]), [True, False, False])
    fitted = Scaling().fit(rows)
    scaled = fitted.apply(rows).values
    np.testing.assert_allclose(scaled[:, 0], [-1.224745, 0, 1.224745], rtol=1e-6)
    np.testing.assert_array_equal(scaled[:, 1], [0, 0, 0])


def test_scaling_leaves_other_modalities_alone() -> None:
    rows = train_rows(np.array([[2.0, 5], [4, 9]]), [True, False], ["clinical", "size.tumour"])
    np.testing.assert_array_equal(
        Scaling(scope=("size",)).fit(rows).apply(rows).values, [[2, -1], [4, 1]]
    )


def test_the_forest_finds_the_columns_that_tell() -> None:
    values = RNG.normal(size=(200, 20))
    values[:, 7] += 2 * EVENT
    values[:, 13] -= 2 * EVENT
    fitted = FEW.fit(train_rows(values, EVENT))
    assert fitted.places.tolist() == [7, 13]
    assert fitted.importance.sum() == pytest.approx(1)


def test_the_forest_judges_its_scope_alone() -> None:
    values = RNG.normal(size=(200, 5))
    values[:, 1] += 3 * EVENT
    rows = train_rows(values, EVENT, ["radiomics.ring", "clinical", *["radiomics.ring"] * 3])
    fitted = FEW.fit(rows)
    assert 1 in fitted.places
    assert len(fitted.places) == 3
    assert np.isnan(fitted.importance[1])


def test_fewer_columns_than_asked_for_all_stay() -> None:
    rows = train_rows(RNG.normal(size=(200, 2)), EVENT)
    assert ForestSelection(trees=5).fit(rows).places.tolist() == [0, 1]
    none = train_rows(np.empty((200, 0)), EVENT)
    assert ForestSelection(trees=5).fit(none).names == ()


def test_a_cohort_of_fifteen_is_divided_too() -> None:
    event = np.arange(15) < 5
    values = RNG.normal(size=(15, 4))
    values[:, 2] = event + 0.1 * values[:, 2]
    assert ForestSelection(trees=50, top=1).fit(train_rows(values, event)).places.tolist() == [2]


def test_another_seed_is_another_forest() -> None:
    rows = train_rows(RNG.normal(size=(200, 6)), EVENT)
    first, second = (ForestSelection(trees=5, seed=n).fit(rows).importance for n in (0, 1))
    assert not np.array_equal(first, second)


def test_components_of_a_plane_lose_nothing() -> None:
    plane = RNG.normal(size=(50, 2)) @ RNG.normal(size=(2, 10)) + 3
    rows = train_rows(plane, EVENT[:50], "embedding.both")
    fitted = PrincipalComponents(components=4).fit(rows)
    (projection,) = fitted.projections
    np.testing.assert_allclose(projection.explained, [*projection.explained[:2], 0, 0], atol=1e-12)
    assert projection.explained.sum() == pytest.approx(1)
    after = fitted.apply(rows)
    assert after.columns == tuple(f"embedding.both.pc0{n}" for n in (1, 2, 3, 4))
    back = after.values @ projection.axes + projection.mean
    np.testing.assert_allclose(back, plane, atol=1e-9)


def test_each_embedding_is_compressed_by_itself_behind_what_stays() -> None:
    modalities = ["embedding.both", "clinical", "embedding.ring", "embedding.both"]
    rows = train_rows(RNG.normal(size=(9, 4)), EVENT[:9], modalities)
    after = PrincipalComponents(components=1).fit(rows).apply(rows)
    assert after.columns == ("clinical.01", "embedding.both.pc01", "embedding.ring.pc01")
    assert after.modalities == ("clinical", "embedding.both", "embedding.ring")


def test_fewer_cases_than_components_give_fewer() -> None:
    rows = train_rows(RNG.normal(size=(5, 10)), EVENT[:5], "embedding.both")
    assert PrincipalComponents().fit(rows).apply(rows).values.shape == (5, 4)


def test_an_unknown_column_is_named() -> None:
    rows = train_rows(RNG.normal(size=(9, 2)), EVENT[:9])
    foreign = train_rows(RNG.normal(size=(9, 2)), EVENT[:9], "clinical")
    with pytest.raises(ColumnsDifferError, match=r"2 lacking, 2 unknown: radiomics\.tumour\.00"):
        Scaling().fit(rows).apply(foreign)


@pytest.mark.parametrize(
    "settings", [{"trees": 0}, {"top": 0}, {"smallest_leaf": 0}, {"seed": -1}]
)
def test_a_forest_without_trees_is_refused(settings: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        ForestSelection(**settings)


def test_no_components_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        PrincipalComponents(components=0)
