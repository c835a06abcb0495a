"""Synthetic patients before any voxel is drawn."""

from collections import Counter

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.preprocessing import OneHotEncoder

from hnmets.sources.synthetic.centre import CENTRES
from hnmets.sources.synthetic.cohort import SyntheticCohort
from hnmets.sources.synthetic.oracle import oracle_auc
from hnmets.sources.synthetic.outcome_model import LATENTS, OUTCOME_MODELS
from hnmets.sources.synthetic.person import ORDERED_VARIABLES, SUBSITES, Person, latent_matrix

MISSING = ("", "unknown")


@pytest.fixture(scope="module")
def people() -> tuple[Person, ...]:
    return SyntheticCohort(cases=3000, seed=4).people()


def test_a_fifth_of_the_patients_metastasise(people: tuple[Person, ...]) -> None:
    # 3 standard errors of 0.21 at n = 3000
    assert np.mean([p.event for p in people]) == pytest.approx(0.21, abs=0.0223)


def test_latents_are_independent_and_standard(people: tuple[Person, ...]) -> None:
    latents = latent_matrix(people)
    np.testing.assert_allclose(latents.mean(axis=0), 0.0, atol=0.06)
    np.testing.assert_allclose(latents.std(axis=0), 1.0, atol=0.05)
    assert set(latents[:, LATENTS.index("spatial")]) == {-1.0, 1.0}
    np.testing.assert_allclose(np.corrcoef(latents.T), np.eye(5), atol=0.06)


def test_events_follow_the_true_risk(people: tuple[Person, ...]) -> None:
    risk = np.array([p.risk for p in people])
    np.testing.assert_allclose(risk, OUTCOME_MODELS["B"].risk(latent_matrix(people)))
    event = np.array([p.event for p in people])
    quarter = np.ceil(4 * rankdata(risk) / risk.size)
    for q in (1, 2, 3, 4):
        assert event[quarter == q].mean() == pytest.approx(risk[quarter == q].mean(), abs=0.05)


def test_the_first_patients_do_not_depend_on_how_many_follow(people: tuple[Person, ...]) -> None:
    assert SyntheticCohort(cases=5, seed=4).people() == people[:5]
    assert SyntheticCohort(cases=5, seed=5).people() != people[:5]


def test_the_outcome_model_changes_risks_and_leaves_the_latents(
    people: tuple[Person, ...],
) -> None:
    other = SyntheticCohort(cases=50, seed=4, outcome_model="C").people()
    assert [p.latents for p in other] == [p.latents for p in people[:50]]
    assert [p.risk for p in other] != [p.risk for p in people[:50]]


def test_the_event_lies_within_follow_up_and_only_others_are_lost_early(
    people: tuple[Person, ...],
) -> None:
    for p in people:
        assert (p.dm_time_days is not None) == p.event
        assert p.follow_up_days > 0
        assert p.dm_time_days is None or 0 < p.dm_time_days <= p.follow_up_days
    early = [p for p in people if p.follow_up_days < 730]
    assert not any(p.event for p in early)
    assert 0.03 < len(early) / len(people) < 0.10


def test_most_events_fall_into_the_first_two_years_but_not_all(people: tuple[Person, ...]) -> None:
    within = np.mean([p.dm_time_days <= 730 for p in people if p.event])
    assert 0.75 < within < 0.98


def test_every_recorded_value_is_declared_or_missing(people: tuple[Person, ...]) -> None:
    for p in people:
        for column, variable in ORDERED_VARIABLES.items():
            assert p.recorded[column] in (*variable.values, *MISSING)
        assert p.recorded["subsite"] in SUBSITES
        assert p.recorded["age"] == "" or 18 <= float(p.recorded["age"]) <= 100
        assert p.recorded["n_stage"] in (p.n_stage, *MISSING)


def test_values_are_missing_as_in_a_clinic(people: tuple[Person, ...]) -> None:
    lost = {c: np.mean([p.recorded[c] in MISSING for p in people]) for c in people[0].recorded}
    assert lost["sex"] == lost["subsite"] == 0.0
    assert 0.0 < lost["age"] < 0.03
    assert lost["smoking"] == pytest.approx(0.06, abs=0.02)
    assert lost["alcohol"] == pytest.approx(0.12, abs=0.02)
    # 0.45 oropharynx x 0.15 + 0.55 others x 0.80
    assert lost["p16"] == pytest.approx(0.5075, abs=0.03)
    spellings = Counter(p.recorded["alcohol"] for p in people)
    assert all(spellings[word] for word in MISSING)


def test_three_centres_treat_their_shares(people: tuple[Person, ...]) -> None:
    counts = Counter(p.centre.name for p in people)
    for centre in CENTRES:
        assert counts[centre.name] / len(people) == pytest.approx(centre.share, abs=0.03)


def test_the_four_default_columns_carry_the_clinical_latent_and_nothing_else(
    people: tuple[Person, ...],
) -> None:
    columns = ("sex", "smoking", "alcohol")
    words = OneHotEncoder(sparse_output=False).fit_transform(
        [[p.recorded[c] for c in columns] for p in people]
    )
    age = np.array([float(p.recorded["age"] or 62.0) for p in people])
    table = np.column_stack([words, (age - 62.0) / 10.0])
    event = np.array([p.event for p in people])
    score = cross_val_predict(LogisticRegression(), table, event, cv=5, method="predict_proba")[
        :, 1
    ]
    latents = latent_matrix(people)
    seen = [spearmanr(score, latents[:, k]).statistic for k in range(5)]
    assert seen[0] > 0.8
    np.testing.assert_allclose(seen[1:], 0.0, atol=0.07)
    # Less than the latent itself, by what a loading of 0.85 costs; 3 standard errors are 0.035.
    oracle = oracle_auc(OUTCOME_MODELS["B"], ["clinical"])
    assert oracle - 0.06 < roc_auc_score(event, score) < oracle + 0.035


def test_stages_rise_with_the_clinical_latent_and_not_with_the_volume(
    people: tuple[Person, ...],
) -> None:
    latents = latent_matrix(people)
    for column in ("t_stage", "n_stage"):
        known = [i for i, p in enumerate(people) if p.recorded[column] not in MISSING]
        level = [int(people[i].recorded[column][1]) for i in known]
        assert spearmanr(level, latents[known, 0]).statistic > 0.12
        assert abs(spearmanr(level, latents[known, 1]).statistic) < 0.06
