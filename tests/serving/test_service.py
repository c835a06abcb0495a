"""The service says what the model says, and of what is wrong nothing that was sent."""

import gzip
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from hnmets.domain.errors import InvalidDataError
from hnmets.registry.prediction import Prediction
from hnmets.serving.settings import ServeSettings
from tests.builders_packages import held_out, table_of
from tests.serving.running import CANARY, Shelf, ask, loaded, patients, service


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(loaded=loaded(tmp_path_factory.mktemp("served")))


@pytest.fixture(scope="module")
def port(shelf: Shelf) -> Iterator[int]:
    with service(shelf, rows=20, body_bytes=40_000) as found:
        yield found


def expected(shelf: Shelf, places: range) -> list[Prediction]:
    assert shelf.loaded is not None
    answers = shelf.loaded.predictor.predict(table_of(held_out(), places))
    return [each for each in answers if isinstance(each, Prediction)]


def test_patients_by_value_get_the_risk_of_the_model_in_any_order_of_columns(
    port: int, shelf: Shelf
) -> None:
    for seed in range(3):
        answer = ask(port, "/predict", patients(range(10), seed))
        assert answer.status == 200, answer.text
        for told, wanted in zip(
            answer.document["predictions"], expected(shelf, range(10)), strict=True
        ):
            assert told["case_id"] == wanted.case_id
            assert told["risk"] == pytest.approx(wanted.risk, abs=1e-12)
            assert [flag["code"] for flag in told["flags"]] == [f.code for f in wanted.flags]


def test_patients_by_id_get_the_same_risk(port: int, shelf: Shelf) -> None:
    answer = ask(port, "/predict", {"case_ids": ["NEW-002", "NEW-001"], "members": True})
    told = answer.document["predictions"]
    wanted = expected(shelf, range(3))
    assert [each["case_id"] for each in told] == ["NEW-002", "NEW-001"]
    assert [each["risk"] for each in told] == pytest.approx([wanted[2].risk, wanted[1].risk])
    assert set(told[0]["members"]) == {"repeat 1 fold 1", "repeat 1 fold 2"}


def test_a_frame_is_answered_as_mlflow_answers_it(port: int, shelf: Shelf) -> None:
    rows = patients(range(3))["patients"]
    names = ["case_id", *rows[0]["values"]]
    data = [[row["case_id"], *(row["values"][name] for name in names[1:])] for row in rows]
    split = {"dataframe_split": {"columns": names, "data": data, "index": [0, 1, 2]}}
    records = {"dataframe_records": [dict(zip(names, line, strict=True)) for line in data]}
    for body in (split, records):
        told = ask(port, "/invocations", body).document["predictions"]
        wanted = expected(shelf, range(3))
        assert [each["risk"] for each in told] == pytest.approx([w.risk for w in wanted])
        assert [each["case_id"] for each in told] == [w.case_id for w in wanted]


def test_who_answers_and_what_has_to_be_told_can_be_asked(port: int) -> None:
    version = ask(port, "/version").document
    assert (version["model"], version["version"]) == ("few", 1)
    assert "Research use only" in version["note"]
    schema = ask(port, "/schema").document
    assert {column["name"] for column in schema["columns"]} == {
        *("clinical.age", "clinical.sex"),
        *("size.tumour.volume_ml", "size.tumour.diameter_mm"),
    }
    assert [ask(port, path).status for path in ("/ping", "/health", "/ready")] == [200] * 3


GOOD = {"clinical.age": 60, "clinical.sex": "male", "size.tumour.volume_ml": 20}
WHOLE = {**GOOD, "size.tumour.diameter_mm": 40}


def patient(**changes: object) -> bytes:
    values = {**WHOLE, **{name.replace("__", "."): value for name, value in changes.items()}}
    return json.dumps({"patients": [{"values": values}]}).encode()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "no_json"),
        (CANARY.encode(), 422, "no_json"),
        (b'"' + CANARY.encode() + b'"', 422, "invalid_input"),
        (b'{"patients": [{"values": {"clinical.age": NaN}}]}', 422, "invalid_input"),
        (b'{"patients": [{"values": {"clinical.age": -Infinity}}]}', 422, "invalid_input"),
        (b'{"a": 1, "a": 2}', 422, "invalid_input"),
        (b"[" * 39_000, 422, "too_deep"),
        (b"\xff\xfe{}", 422, "no_json"),
        (json.dumps({CANARY: 1}).encode(), 422, "invalid_input"),
        (json.dumps({"patients": CANARY}).encode(), 422, "invalid_input"),
        (json.dumps({"patients": [{"values": WHOLE, CANARY: 1}]}).encode(), 422, "invalid_input"),
        (json.dumps({"patients": []}).encode(), 422, "invalid_input"),
        (json.dumps({"patients": [{"values": WHOLE}] * 21}).encode(), 422, "too_many_rows"),
        (json.dumps({"patients": [{"values": GOOD}]}).encode(), 422, "invalid_input"),
        (json.dumps({"case_ids": [CANARY]}).encode(), 404, "unknown_case"),
        (json.dumps({"case_ids": ["NEW-001"], "members": "yes"}).encode(), 422, "invalid_input"),
        (patient(**{CANARY: 1}), 422, "unknown_columns"),
        (patient(**{"ÿ\u202e" + CANARY: 1}), 422, "unknown_columns"),
        (patient(clinical__age=CANARY), 422, "invalid_input"),
        (patient(clinical__age=[CANARY]), 422, "invalid_input"),
        (patient(clinical__age={"file": CANARY}), 422, "invalid_input"),
        (patient(clinical__age=10**400), 422, "invalid_input"),
        (patient(clinical__age="file:///etc/passwd"), 422, "invalid_input"),
        (patient(clinical__sex=CANARY), 422, "invalid_input"),
        (patient().replace(b"60", b"1e400"), 422, "invalid_input"),
    ],
    ids=lambda value: str(value)[:40] if not isinstance(value, int) else "",
)
def test_what_cannot_be_meant_is_refused_by_a_code_and_never_repeated(
    body: bytes, status: int, code: str, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = ask(port, "/predict", body, method="POST")
    assert (answer.status, answer.document["error"]["code"]) == (status, code), answer.text
    everything = f"{answer.text} {answer.headers} {caplog.text}"
    assert CANARY not in everything
    assert "passwd" not in everything
    assert "Traceback" not in answer.text


def test_a_case_that_nobody_knows_is_named_by_its_place_alone(port: int) -> None:
    answer = ask(port, "/predict", {"case_ids": ["NEW-001", "NEW-002", CANARY]})
    assert answer.status == 404
    assert answer.document["error"]["message"].startswith("case_ids.2 (counted from 0)")
    assert CANARY not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}},
        {"dataframe_split": {"columns": ["a"], "data": [[1, CANARY]]}},
        {"dataframe_split": {"columns": [CANARY], "data": [[1]]}},
        {"inputs": CANARY},
        {"dataframe_split": {"columns": [], "data": []}, "dataframe_records": []},
        {},
    ],
    ids=str,
)
def test_frames_that_cannot_be_meant_are_refused(body: object, port: int) -> None:
    answer = ask(port, "/invocations", body)
    assert answer.status == 422
    assert CANARY not in answer.text


def test_routes_and_methods_that_are_not_there_are_not_repeated(port: int) -> None:
    for path, method, status in [
        (f"/{CANARY}", "GET", 404),
        ("/predict", "GET", 405),
        ("/docs", "GET", 404),
        ("/openapi.json", "GET", 404),
        (f"/ping?{CANARY}", "DELETE", 405),
    ]:
        answer = ask(port, path, method=method)
        assert (answer.status, CANARY in answer.text) == (status, False)


def test_a_large_body_is_refused_before_it_is_read(port: int) -> None:
    assert ask(port, "/predict", b" " * 50_000).status == 413
    with socket.create_connection(("127.0.0.1", port)) as caller:
        caller.sendall(
            b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000000\r\n\r\n"
        )
        assert caller.recv(100).startswith(b"HTTP/1.1 413")


def test_a_large_body_without_a_length_is_refused_while_it_comes(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as caller:
        caller.sendall(
            b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for _ in range(6):
            caller.sendall(b"2710\r\n" + b" " * 10_000 + b"\r\n")
        assert caller.recv(100).startswith(b"HTTP/1.1 413")


def test_a_compressed_body_is_refused(port: int) -> None:
    bomb = gzip.compress(b" " * 10_000_000)
    answer = ask(port, "/predict", bomb, headers={"Content-Encoding": "gzip"})
    assert (answer.status, answer.document["error"]["code"]) == (415, "encoded")


def test_a_body_that_does_not_come_in_time_is_given_up(shelf: Shelf) -> None:
    with service(shelf, body_s=0.2) as port, socket.create_connection(("127.0.0.1", port)) as slow:
        slow.sendall(b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n{")
        assert slow.recv(100).startswith(b"HTTP/1.1 408")
        assert ask(port, "/predict", patients([0])).status == 200


def test_an_answer_that_takes_too_long_is_given_up_and_others_are_served(shelf: Shelf) -> None:
    waiting = replace(shelf, wait=threading.Event())
    with service(waiting, answer_s=0.2) as port:
        late = ask(port, "/predict", {"case_ids": ["NEW-001"]})
        assert (late.status, late.headers["retry-after"]) == (503, "1")
        assert ask(port, "/predict", patients([0])).status == 200
        assert waiting.wait is not None
        waiting.wait.set()


def test_a_caller_who_hangs_up_frees_the_place(shelf: Shelf) -> None:
    with service(shelf, at_once=1) as port:
        with socket.create_connection(("127.0.0.1", port)) as gone:
            gone.sendall(
                b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n{"
            )
        until = time.monotonic() + 5
        while ask(port, "/predict", patients([0])).status != 200:
            assert time.monotonic() < until
            time.sleep(0.02)


def test_two_hundred_at_once_are_served_or_told_to_come_again(shelf: Shelf) -> None:
    with service(shelf, at_once=4) as port, ThreadPoolExecutor(200) as callers:
        answers = list(
            callers.map(lambda n: ask(port, "/predict", patients([n % 30])), range(200))
        )
    assert {answer.status for answer in answers} <= {200, 503}
    assert any(answer.status == 200 for answer in answers)
    refused = [answer for answer in answers if answer.status == 503]
    assert all(answer.headers["retry-after"] == "1" for answer in refused)


def test_a_token_is_asked_of_everybody_but_the_probes(shelf: Shelf) -> None:
    with service(shelf, token="correct horse") as port:  # noqa: S106 - of a test
        for path in ("/version", "/schema", "/metrics"):
            answer = ask(port, path)
            assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
        wrong = {"Authorization": f"Bearer {CANARY}"}
        answer = ask(port, "/predict", patients([0]), headers=wrong)
        assert (answer.status, CANARY in answer.text) == (401, False)
        right = {"Authorization": "Bearer correct horse"}
        assert ask(port, "/predict", patients([0]), headers=right).status == 200
        assert ask(port, "/ready").status == 200


def test_a_service_is_called_by_its_own_names(shelf: Shelf) -> None:
    with service(shelf, hosts=("risk.example",)) as port:
        for host, status in [
            ("risk.example", 200),
            ("risk.example:8000", 200),
            ("[::1]:80", 200),
            ("evil.example", 400),
            ("", 400),
        ]:
            assert ask(port, "/ping", headers={"Host": host}).status == status


def test_pages_of_elsewhere_get_nothing_and_nothing_is_kept(port: int) -> None:
    answer = ask(port, "/predict", patients([0]), headers={"Origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "server" not in answer.headers
    preflight = ask(port, "/predict", method="OPTIONS", headers={"Origin": "https://evil.example"})
    assert preflight.status == 405


def test_nobody_is_served_to_the_network_without_a_token() -> None:
    with pytest.raises(ValueError, match="needs a token"):
        ServeSettings(host="0.0.0.0")  # noqa: S104 - that is refused
    assert ServeSettings(host="0.0.0.0", token="t").token  # noqa: S104, S106 - of a test


def test_another_model_takes_over_without_a_request_being_dropped(
    shelf: Shelf, tmp_path: Path
) -> None:
    exchanged = replace(shelf)
    with service(exchanged) as port:
        stop, statuses = threading.Event(), []

        def keep_asking() -> None:
            while not stop.is_set():
                statuses.append(ask(port, "/predict", patients([0])).status)

        asking = threading.Thread(target=keep_asking)
        asking.start()
        exchanged.loaded = loaded(tmp_path, version=2)
        until = time.monotonic() + 10
        while ask(port, "/version").document["version"] != 2:
            assert time.monotonic() < until
            time.sleep(0.02)
        stop.set()
        asking.join()
        assert set(statuses) == {200}
        assert "hnmets_reloads_total 2" in ask(port, "/metrics").text


def test_a_champion_that_cannot_be_opened_leaves_the_old_one_in_service(
    shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    broken = replace(shelf)
    with service(broken) as port:
        broken.trouble, broken.identity = InvalidDataError(CANARY), "another"
        until = time.monotonic() + 10
        while "hnmets_reload_failures_total 1" not in ask(port, "/metrics").text:
            assert time.monotonic() < until
            time.sleep(0.02)
        assert ask(port, "/version").document["version"] == 1
        assert ask(port, "/predict", patients([0])).status == 200
    assert CANARY not in caplog.text


def test_without_a_model_nobody_is_ready() -> None:
    with service(Shelf(loaded=None)) as port:
        assert (ask(port, "/ping").status, ask(port, "/ready").status) == (200, 503)
        answer = ask(port, "/predict", patients([0]))
        assert (answer.status, answer.document["error"]["code"]) == (503, "not_ready")
        assert answer.headers["retry-after"] == "5"


def test_a_fault_of_ours_is_a_reference_and_no_story(
    shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    faulty = replace(shelf)
    with service(faulty) as port, caplog.at_level(logging.INFO):
        faulty.trouble = RuntimeError(CANARY)
        answer = ask(port, "/predict", {"case_ids": ["NEW-001"]})
    error = answer.document["error"]
    assert (answer.status, error["code"]) == (500, "internal")
    assert CANARY not in answer.text + caplog.text
    assert f"{error['reference']}: RuntimeError" in caplog.text


def test_counters_say_how_many_and_nothing_of_whom(shelf: Shelf) -> None:
    with service(replace(shelf)) as port:
        ask(port, "/predict", patients(range(5)))
        ask(port, f"/{CANARY}")
        text = ask(port, "/metrics").text
    assert "hnmets_predictions_total 5" in text
    assert 'hnmets_requests_total{route="/predict",status="200"} 1' in text
    assert 'hnmets_requests_total{route="other",status="404"} 1' in text
    assert CANARY not in text
    assert "NEW-" not in text


def test_the_interface_has_a_page_where_it_is_asked_for(shelf: Shelf) -> None:
    with service(shelf, docs=True) as port:
        document = ask(port, "/openapi.json").document
        assert {"/predict", "/invocations", "/schema"} <= set(document["paths"])
        assert "patients" in json.dumps(document["paths"]["/predict"])
