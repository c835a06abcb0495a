"""Whatever is sent to the service, it does not break: requests drawn from its own description."""

from collections import Counter
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode

from tests.serving.running import Shelf, loaded, service

pytestmark = pytest.mark.slow

TOKEN = "a-token-of-the-tests"  # noqa: S105 - opens nothing
AUTHORISED = {"Authorization": f"Bearer {TOKEN}"}
READS_A_BODY = ("/predict", "/invocations")
DRAWN = settings(
    max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[schemathesis.BaseSchema]:
    shelf = Shelf(loaded=loaded(tmp_path_factory.mktemp("served")))
    with service(shelf, docs=True, token=TOKEN, body_bytes=100_000) as port:
        address = f"http://127.0.0.1:{port}/openapi.json"
        yield schemathesis.openapi.from_url(address, headers=AUTHORISED)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_request_makes_it_fail(
    mode: GenerationMode, described: schemathesis.BaseSchema
) -> None:
    answered: Counter[tuple[str, int]] = Counter()

    @DRAWN
    @given(st.data())
    def ask(data: st.DataObject) -> None:
        operation = described[data.draw(st.sampled_from(READS_A_BODY))]["POST"]
        case = data.draw(operation.as_strategy(generation_mode=mode))
        answer = case.call(headers=AUTHORISED)
        answered[case.path, answer.status_code] += 1
        assert answer.status_code < 500 or answer.status_code == 503, answer.text

    ask()
    assert sum(answered.values()) >= DRAWN.max_examples
    assert {path for path, status in answered if status != 401} == set(READS_A_BODY)
