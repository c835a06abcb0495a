from hnmets.evaluation.estimate import Estimate, NotEstimable
from hnmets.tracking.naming import Label, metrics_of, reasons_of
from hnmets.tracking.params import flattened

AUC = Estimate(
    value=0.7200449, low=0.63, high=0.80, n=298, events=40, level=0.95, method="bootstrap"
)
NONE = NotEstimable(reason="2 events", n=12, events=2)


def test_an_estimate_is_three_numbers_and_what_is_not_estimable_a_reason() -> None:
    measures = {"auc": AUC, "subgroup_larynx_auc": NONE}
    values = {metric.name: metric.value for metric in metrics_of(measures)}
    assert values == {"auc": 0.72, "auc_low": 0.63, "auc_high": 0.80}
    assert reasons_of(measures) == {"subgroup_larynx_auc_not_estimable": "2 events"}


def test_names_sort_in_the_order_of_the_ladder() -> None:
    views = ["clinical", "size", "clinical + size", *(f"view {n}" for n in range(4, 12))]
    names = [Label(view=v, model="logistic", rung=n).name for n, v in enumerate(views, start=1)]
    assert names == sorted(names)
    assert len(set(names)) == 11


def test_what_tells_runs_apart_is_a_column_and_an_axis() -> None:
    fold = Label(view="size", model="forest", rung=2, repeat=1, fold=3)
    assert fold.params == {
        "view": "size",
        "model": "forest",
        "rung": "2",
        "repeat": "1",
        "fold": "3",
    }
    assert fold.tags == {"kind": "fold", **fold.params}
    assert Label(view="size", model="forest", rung=2).tags["kind"] == "rung"


def test_settings_become_short_texts() -> None:
    settings = {
        "split": {"folds": 5, "by": "patient", "seed": None},
        "views": ["size", "clinical"],
        "many": list(range(30)),
        "ratio": 0.5,
        "on": True,
    }
    assert flattened(settings) == {
        "split.folds": "5",
        "split.by": "patient",
        "views": "size, clinical",
        "many": "30 entries",
        "ratio": "0.5",
        "on": "true",
    }
