import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from hnmets.tracking.base import Dataset, Metric
from hnmets.tracking.mlflow_tracker import MlflowTracker
from hnmets.tracking.opening import open_tracker
from hnmets.tracking.pages import experiment_tags
from hnmets.tracking.place import Place, place_of
from hnmets.tracking.privacy import Privacy
from hnmets.tracking.project_store import last_experiment
from tests.builders_tracking import (
    AT,
    do_the_work,
    expected,
    in_mlflow,
    names_and_numbers,
    new_run,
)


def rows(project: Path, table: str) -> list[dict[str, object]]:
    with closing(sqlite3.connect(project / "mlflow.db")) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(f"select * from {table}")]  # noqa: S608  # a name of this file


def test_readers_and_a_writer_do_not_wait_for_each_other(tmp_path: Path) -> None:
    project = tmp_path / "new" / "project"
    MlflowTracker(Place(project=project), privacy=Privacy()).start(new_run())
    with closing(sqlite3.connect(project / "mlflow.db")) as connection:
        assert connection.execute("pragma journal_mode").fetchone() == ("wal",)


def test_a_bare_mlflow_in_the_folder_finds_runs_and_files(
    empty_project: Path, tmp_path: Path
) -> None:
    with open_tracker(empty_project) as tracker:
        do_the_work(tracker)
    moved = empty_project.rename(tmp_path / "moved")
    program = (
        "import mlflow\n"
        "runs = mlflow.search_runs(search_all_experiments=True)\n"
        "fold = runs[runs['tags.mlflow.runName'] == 'fold 3'].iloc[0]\n"
        "text = mlflow.artifacts.load_text(fold.artifact_uri + '/notes/fold.txt')\n"
        "print(mlflow.get_tracking_uri()[-10:], len(runs), fold['metrics.auc'], text, sep='|')\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=moved,
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert done.stdout.strip() == "/mlflow.db|6|0.73|fold 3"


def test_the_metrics_of_a_run_are_written_in_one_request(empty_project: Path) -> None:
    tracker = MlflowTracker(Place(project=empty_project), privacy=Privacy())
    key = tracker.start(new_run())
    batches = []
    log_batch = tracker._client.log_batch

    def count(run_id: str, **values: object) -> None:
        batches.append(values)
        log_batch(run_id, **values)

    tracker._client.log_batch = count
    tracker.log_metrics(
        key, [Metric(name="loss", value=1 / step, step=step) for step in range(1, 1001)], at=AT
    )
    assert len(batches) == 1
    assert len(rows(empty_project, "metrics")) == 1000


def test_times_are_those_of_the_work_to_the_millisecond(empty_project: Path) -> None:
    tracker = MlflowTracker(Place(project=empty_project), privacy=Privacy())
    tracker.log_metrics(tracker.start(new_run()), [Metric(name="auc", value=0.7)], at=AT)
    # date -d 2026-03-01T12:30:15.250Z +%s%3N
    assert [row["timestamp"] for row in rows(empty_project, "metrics")] == [1772368215250]
    started = [
        run["start_time"] for run in rows(empty_project, "runs") if run["name"] != "template"
    ]
    assert started == [1772368215250]


def test_the_data_of_a_run_stand_in_the_table_of_runs(empty_project: Path) -> None:
    tracker = MlflowTracker(Place(project=empty_project), privacy=Privacy())
    dataset = Dataset(name="clinical + size", digest="0f" * 18, description={"cases": 298})
    for _ in range(2):
        tracker.start(new_run(key="one", dataset=dataset))
    (row,) = rows(empty_project, "datasets")
    assert (row["name"], row["digest"]) == ("clinical + size", "0f" * 18)
    assert json.loads(str(row["dataset_profile"])) == {"cases": 298}
    assert len(rows(empty_project, "inputs")) == 1


def test_more_parameters_than_one_request_takes_all_arrive(empty_project: Path) -> None:
    tracker = MlflowTracker(Place(project=empty_project), privacy=Privacy())
    tracker.start(new_run(params={f"p{number}": "x" * number for number in range(7000, 7250)}))
    (run,) = in_mlflow(Place(project=empty_project).uri)
    assert len(run.params) == 250
    assert {len(value) for value in run.params.values()} == {6000}


def test_a_deleted_experiment_is_seen_again_and_a_deleted_run_is_not(empty_project: Path) -> None:
    from mlflow import MlflowClient

    place = Place(project=empty_project)
    client = MlflowClient(tracking_uri=place.uri)
    MlflowTracker(place, privacy=Privacy()).start(new_run(experiment="gone", key="r"))
    experiment = client.get_experiment_by_name("gone")
    (run,) = client.search_runs([experiment.experiment_id])
    client.delete_run(run.info.run_id)
    MlflowTracker(place, privacy=Privacy()).start(new_run(experiment="gone", key="r"))
    assert in_mlflow(place.uri) == []
    client.delete_experiment(experiment.experiment_id)
    MlflowTracker(place, privacy=Privacy()).start(new_run("again", experiment="gone"))
    assert client.get_experiment(experiment.experiment_id).lifecycle_stage == "active"


def test_an_experiment_of_an_older_version_gets_the_view_and_keeps_its_own(
    empty_project: Path,
) -> None:
    from mlflow import MlflowClient

    place = Place(project=empty_project)
    client = MlflowClient(tracking_uri=place.uri)
    mine = {"mlflow.sharedViewState.mine": "{}"}
    old = client.create_experiment("old", tags=mine | {"mlflow.experimentKind": "empty"})
    MlflowTracker(place, privacy=Privacy()).start(new_run(experiment="old"))
    tags = client.get_experiment(old).tags
    assert {**mine, **experiment_tags()}.items() <= tags.items()


def test_the_newest_run_that_was_not_deleted_names_the_experiment(empty_project: Path) -> None:
    place = Place(project=empty_project)
    assert last_experiment(place) is None  # the only run is deleted
    tracker = MlflowTracker(place, privacy=Privacy())
    tracker.start(new_run(experiment="new", at=AT + timedelta(days=1)))
    tracker.start(new_run(experiment="old", at=AT))
    seen = rows(empty_project, "experiments")
    names = {row["experiment_id"]: row["name"] for row in seen}
    assert names[last_experiment(place)] == "new"


def test_two_processes_log_to_one_database(empty_project: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from hnmets.tracking.opening import open_tracker\n"
        "from tests.builders_tracking import do_the_work\n"
        "with open_tracker(Path(sys.argv[1])) as tracker:\n"
        "    do_the_work(tracker, prefix=sys.argv[2], experiment='both')\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(empty_project), name],
            cwd=Path(__file__).parents[2],
        )
        for name in ("one", "two")
    ]
    assert [process.wait(timeout=100) for process in processes] == [0, 0]
    seen = in_mlflow(Place(project=empty_project).uri)
    assert names_and_numbers(seen) == sorted(2 * expected(), key=lambda pair: pair[0])


def test_an_address_in_the_environment_is_respected(tmp_path: Path) -> None:
    assert place_of(tmp_path, {}).uri == f"sqlite:///{tmp_path}/mlflow.db"
    chosen = place_of(tmp_path, {"MLFLOW_TRACKING_URI": "http://127.0.0.1:5000"})
    assert (chosen.uri, chosen.is_server) == ("http://127.0.0.1:5000", True)


def test_a_database_of_ones_own_takes_the_runs(empty_project: Path, tmp_path: Path) -> None:
    uri = f"sqlite:///{empty_project}/mlflow.db"
    place = Place(project=tmp_path / "study", chosen_uri=uri)
    do_the_work(MlflowTracker(place, privacy=Privacy()), experiment="elsewhere")
    assert names_and_numbers(in_mlflow(uri)) == expected()
    assert not (tmp_path / "study").exists()


def test_mlflow_reports_to_nobody(empty_project: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from hnmets.tracking.opening import open_tracker\n"
        "from tests.builders_tracking import do_the_work\n"
        "with open_tracker(Path(sys.argv[1])) as tracker: do_the_work(tracker)\n"
        "from mlflow.telemetry.client import get_telemetry_client\n"
        "print(get_telemetry_client())\n"
    )
    environment = {
        name: value
        for name, value in os.environ.items()
        # With these MLflow stays silent by itself, and the test would prove nothing.
        if name not in {"MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK", "CI"}
        and not name.startswith("PYTEST")
    }
    done = subprocess.run(
        [sys.executable, "-c", program, str(empty_project)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert (done.stdout, done.stderr) == ("None\n", "")


def test_only_an_experiment_that_is_there_and_has_the_view_is_opened(empty_project: Path) -> None:
    tracker = MlflowTracker(Place(project=empty_project), privacy=Privacy(user="jane"))
    tracker.start(new_run(experiment="necks of jane"))
    tracker.start(new_run(experiment="given up"))
    client = tracker._client
    foreign = client.create_experiment("foreign")
    client.delete_experiment(client.get_experiment_by_name("given up").experiment_id)
    found = {name: tracker.experiment_with_view(name) for name in ("a study", "necks of jane")}
    assert found == {"a study": 1, "necks of jane": 2}
    assert foreign == "4"
    for name in ("given up", "foreign", "nobody's"):
        assert tracker.experiment_with_view(name) is None, name
