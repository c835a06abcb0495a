"""Whatever is sent to the service, it does not break: requests drawn from its own description."""

from collections import Counter
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode

from hnmets.registry.columns import InputColumn
from tests.serving.running import Shelf, ask, loaded, service

pytestmark = pytest.mark.slow

TOKEN = "a-token-of-the-tests"  # noqa: S105 - opens nothing
AUTHORISED = {"Authorization": f"Bearer {TOKEN}"}
READS_A_BODY = ("/predict", "/invocations")
TELLS = ("/ping", "/health", "/ready", "/version", "/schema", "/metrics")
DRAWN = settings(
    max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(loaded=loaded(tmp_path_factory.mktemp("served")))


@pytest.fixture(scope="module")
def port(shelf: Shelf) -> Iterator[int]:
    with service(shelf, docs=True, token=TOKEN, body_bytes=100_000) as port:
        yield port


@pytest.fixture(scope="module")
def described(port: int) -> schemathesis.BaseSchema:
    address = f"http://127.0.0.1:{port}/openapi.json"
    return schemathesis.openapi.from_url(address, headers=AUTHORISED)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_request_makes_it_fail(
    mode: GenerationMode, described: schemathesis.BaseSchema
) -> None:
    answered: Counter[tuple[str, int]] = Counter()

    @DRAWN
    @given(st.data())
    def draw_and_ask(data: st.DataObject) -> None:
        operation = described[data.draw(st.sampled_from(READS_A_BODY))]["POST"]
        case = data.draw(operation.as_strategy(generation_mode=mode))
        answer = case.call(headers=AUTHORISED)
        answered[case.path, answer.status_code] += 1
        assert answer.status_code < 500 or answer.status_code == 503, answer.text

    draw_and_ask()
    assert sum(answered.values()) >= DRAWN.max_examples
    assert {path for path, _ in answered} == set(READS_A_BODY)
    assert {status for _, status in answered} <= {200, 404, 413, 422}


def test_what_it_tells_needs_no_body_and_is_as_described(
    described: schemathesis.BaseSchema,
) -> None:
    assert {*described} == {*READS_A_BODY, *TELLS}
    for path in TELLS:
        case = described[path]["GET"].Case()
        answer = case.call(headers=AUTHORISED)
        assert answer.status_code == 200, path
        case.validate_response(answer)


def cells(column: InputColumn) -> st.SearchStrategy[object]:
    """What may stand in a column, and what may not, in numbers that doubles hardly hold."""
    odd = st.none() | st.booleans() | st.text(max_size=5) | st.integers() | st.just(10**400)
    if column.type == "category":
        return st.sampled_from(column.categories) | odd
    return st.floats(allow_nan=False, allow_infinity=False) | odd


def test_whatever_is_told_of_a_patient_gives_a_risk_or_is_refused(shelf: Shelf, port: int) -> None:
    assert shelf.loaded is not None
    columns = shelf.loaded.predictor.package.columns
    values = st.fixed_dictionaries({}, optional={each.name: cells(each) for each in columns})
    patient = st.fixed_dictionaries({"values": values}, optional={"case_id": st.text()})
    answered: Counter[int] = Counter()

    @DRAWN
    @given(told=st.lists(patient, min_size=1, max_size=3), most=st.integers(0, 3))
    def ask_about(told: list[object], most: int) -> None:
        body = {"patients": told, "contributions": most, "members": True}
        answer = ask(port, "/predict", body, headers=AUTHORISED)
        answered[answer.status] += 1
        assert answer.status in {200, 422}, answer.text
        if answer.status == 200:
            found = answer.document
            assert len(found["predictions"]) + len(found["refused"]) == len(told)
            for each in found["predictions"]:
                assert 0 <= each["risk"] <= 1
                assert all(0 <= risk <= 1 for risk in each["members"].values())

    ask_about()
    assert answered[200] >= 20
    assert answered[422] >= 20
