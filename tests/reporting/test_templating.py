from importlib.resources import files

import pytest

from hnmets.reporting.templating import page_environment

TEMPLATES = sorted(
    file.name
    for file in files("hnmets.reporting").joinpath("templates").iterdir()
    if file.name.endswith(".j2")
)


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_knows_the_filters_it_uses(name: str) -> None:
    page_environment().get_template(name)


def test_a_number_keeps_its_precision_beside_what_is_read() -> None:
    page = page_environment().from_string("{{ 0.80349|num }} {{ 12|num }} {{ 0.004|share }}")
    assert page.render() == (
        '<data value="0.80349">0.803</data> <data value="12">12</data> '
        '<data value="0.004">0.4 %</data>'
    )
