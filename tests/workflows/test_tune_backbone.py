"""A search of backbones end to end, with real workers, on a small cohort with its crops."""

import json
import shutil
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.trial import Trial

from hnmets.domain.errors import InvalidDataError
from hnmets.networks.architecture import PRESETS
from hnmets.tracking.in_memory import InMemoryTracker
from hnmets.tuning.backbone_space import BackboneConfiguration, BackboneSpace
from hnmets.tuning.backbone_tries import BackboneTries
from hnmets.tuning.crop_file import load_roles
from hnmets.tuning.plan import EVERYBODY, part_file, read_plan
from hnmets.tuning.space import Range, from_json
from hnmets.workflows import train_backbone, tune
from hnmets.workflows.study import Study, load_study
from hnmets.workflows.tune import Request, Tuning
from tests.builders_backbones import FOLDS, with_crops
from tests.builders_cohorts import study_of
from tests.builders_searches import kill, start_worker, wait_until

pytestmark = pytest.mark.slow

REQUEST = Request(target="backbone", device="cpu")


def quick(file: Path, **flags: object) -> Study:
    """The study with a search of small networks, four epochs each at most."""
    chosen: dict[str, object] = {
        "split__folds": 2,
        "split__repeats": 1,
        "split__inner_folds": 2,
        "backbone__epochs": 4,
        "tuning__trials": 3,
        "tuning__inner_folds": 2,
        "tuning__backbone__backbone": ["cnn"],
        "tuning__backbone__init": [0],
        "build__jobs": 1,
    }
    return study_of(file, **(chosen | flags))


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_crops(tmp_path_factory.mktemp("backbones") / "cohort", cases=48)


@pytest.fixture(scope="module")
def found(cohort: Path) -> Tuning:
    return tune.run(quick(cohort), REQUEST, tracker=InMemoryTracker())


def test_each_outer_fold_has_a_winner_that_is_scored_beside_the_study(found: Tuning) -> None:
    assert [each.study for each in found.studies] == [*FOLDS, EVERYBODY]
    assert found.complete
    assert set(found.nested.winners) == set(FOLDS)
    names = [scores.out_of_fold.rung.name for scores in found.nested.scores]
    assert names == ["as the study", "tuned"]
    assert found.nested.tuned.out_of_fold.predictions.n == 48
    json.dumps(found.as_json(), allow_nan=False)


def test_no_network_of_a_search_sees_a_case_of_its_outer_fold(found: Tuning) -> None:
    search = found.search
    place = {case: n for n, case in enumerate(search.dataset.rows.case_ids)}
    for fold in search.split.folds:
        roles = load_roles(part_file(search.folder, fold.name, 0))
        seen = {*roles.fitting.tolist(), *roles.stopping.tolist(), *roles.scored.tolist()}
        assert len(seen) == sum(map(len, vars(roles).values()))
        assert not seen & {place[case] for case in fold.held_out}


def test_the_settings_found_are_a_study_file_that_trains(found: Tuning) -> None:
    best = found.best
    assert isinstance(best, BackboneConfiguration)
    written = load_study(found.file, environ={})
    assert written.backbone == best.training
    assert written.embedding.parameters(found.file.parent).architecture == best.architecture
    assert found.next_step == "train backbone --backbone cnn"
    flags = {"split.folds": 2, "split.repeats": 1, "split.inner_folds": 2}
    trained = train_backbone.run(
        load_study(found.file, environ={}, flags=flags),
        train_backbone.Request(backbone=best.backbone, folds=(1,)),
        tracker=InMemoryTracker(),
    )
    assert not trained.failed


def test_halving_ends_trials_early(cohort: Path, tmp_path: Path) -> None:
    # Of two seeds the worse half of what came as far is ended at the first rung.
    study = quick(copied(cohort, tmp_path), tuning__trials=6)
    found = tune.run(study, REQUEST, tracker=InMemoryTracker())
    assert sum(each.pruned for each in found.studies) >= 1
    assert all(each.pruned + each.complete == 6 for each in found.studies)


def test_a_training_that_was_killed_goes_on_from_its_checkpoint(
    cohort: Path, tmp_path: Path
) -> None:
    study = quick(
        copied(cohort, tmp_path),
        tuning__trials=1,
        backbone__epochs=24,
        backbone__patience=24,
    )
    search = tune.prepare(study, "backbone")
    records = tune.open_records(search)
    records.enqueue()
    checkpoint = search.folder / "checkpoints" / FOLDS[0] / "0.safetensors"
    worker = start_worker(search.folder)
    wait_until(checkpoint.exists)
    time.sleep(0.5)
    kill(worker)
    assert checkpoint.exists()
    assert start_worker(search.folder).wait(timeout=240) == 0
    (trial,) = records.of(FOLDS[0])
    assert (trial.state, trial.attempts) == ("complete", 2)
    assert 0 < trial.attributes["resumed_after"] < 24
    assert trial.attributes["epochs"] == [24]
    assert not checkpoint.exists()


class KilledError(Exception):
    pass


def test_a_kill_between_checkpoint_and_report_shifts_no_epoch(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = tune.prepare(quick(copied(cohort, tmp_path), tuning__trials=1), "backbone")
    tries = BackboneTries(folder=search.folder, plan=search.plan, study=FOLDS[0], device="cpu")
    study = optuna.create_study(direction="maximize")
    trial, report = study.ask(), Trial.report

    def killed(self: Trial, value: float, step: int) -> None:
        if step == 2:
            raise KilledError
        report(self, value, step)

    with monkeypatch.context() as patch:
        patch.setattr(Trial, "report", killed)
        with pytest.raises(KilledError):
            tries.try_out([trial])
    (told,) = tries.try_out([trial])
    assert told.attributes["resumed_after"] == 2
    assert sorted(study.trials[0].intermediate_values) == [1, 2, 3, 4]


def copied(file: Path, folder: Path) -> Path:
    """Copy a cohort with its store, for a search that others shall not meet."""
    shutil.copytree(file.parent, folder / "copy", ignore=shutil.ignore_patterns("tuning"))
    return folder / "copy" / file.name


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        ({"tuning__backbone__patch": [4]}, "patch 4 needs crops whose edge is a multiple of 64"),
        ({"tuning__backbone__embed_dim": [13]}, "embed_dim is 13, must be a multiple of 12"),
    ],
)
def test_a_shape_that_the_crops_cannot_have_is_refused(
    cohort: Path, flags: dict[str, object], reason: str
) -> None:
    with pytest.raises(InvalidDataError, match=reason):
        tune.prepare(quick(cohort, **flags), "backbone")


def test_a_plan_is_read_as_it_was_written(found: Tuning) -> None:
    assert read_plan(found.search.folder) == found.search.plan


def test_a_space_survives_json_and_keeps_heads_as_wide() -> None:
    space = BackboneSpace(dropout=Range(low=0.0, high=0.3)).filled(PRESETS["ci"])
    assert from_json(BackboneSpace, json.loads(json.dumps(asdict(space)))) == space
    assert space.embed_dim == (12, 24)
    assert space.depths == ((1, 1, 1, 1), (2, 2, 2, 2))
    widths = [
        PRESETS["ci"].reshaped(embed_dim=embed).embed_dim
        / PRESETS["ci"].reshaped(embed_dim=embed).heads[0]
        for embed in space.embed_dim
    ]
    np.testing.assert_array_equal(widths, 12)
    assert replace(PRESETS["full"].reshaped(), embed_dim=48) == PRESETS["full"]
