"""Names to roles: what people type, and what is never guessed."""

import pytest

from hnmets.domain.errors import InvalidDataError
from hnmets.sources.dicom.region_names import Verdict, read_name
from hnmets.sources.dicom.region_rules import default_rules, parse_rules, read_rules
from hnmets.sources.dicom.vocabulary import shown_region, words_of

TUMOUR = """GTVp, GTV, GTV-1, gtv 70, GTV_70Gy, GTV 6996 cGy, GTVp1, GTV_T, GTV T, gtv_p,
GTV primär, GTV Primary, GTV_Primarius, Tumeur, tumeur primaire, TUMOR, Primary Tumor, GTV_Mass_CT,
GTV CT, GTV_Tumour, GTVt, gtvp 70, GTV-P, GTV-primaer""".replace("\n", " ").split(", ")
NODES = """GTVn, GTVn li, GTV-N, GTV_N1, GTV N 70Gy, gtvnd, GTVln re, GTV Node, GTV_nodes_left,
GTV Lymph Nodes, GTVn_R, gtv-n-2, GTV LN links, GTVn gauche""".replace("\n", " ").split(", ")
IGNORED = """GTV_old, GTV-70 OLD, GTV alt, GTV_copy, GTV backup, CTV, CTV 60, PTV_70, PTVn, zRing,
z PTV, iGTV, ITV, GTV_test, GTV minus PTV, GTV margin""".replace("\n", " ").split(", ")
UNKNOWN = ["BODY", "External", "GTV Meyer", "GTV+5mm", "Couch", "", "GTVx?", "Bolus"]


@pytest.mark.parametrize(
    ("names", "verdict", "role"),
    [
        (TUMOUR, Verdict.ROLE, "tumour"),
        (NODES, Verdict.ROLE, "nodes"),
        (IGNORED, Verdict.IGNORED, None),
        (UNKNOWN, Verdict.UNKNOWN, None),
    ],
)
def test_sixty_names_are_read_as_a_person_would(
    names: list[str], verdict: Verdict, role: str | None
) -> None:
    rules = read_rules(None)
    read = {name: read_name(name, rules) for name in names}
    assert {
        n: (r.verdict, r.role) for n, r in read.items() if (r.verdict, r.role) != (verdict, role)
    } == {}


def test_a_name_that_two_roles_claim_is_ambiguous() -> None:
    rules = parse_rules(
        'version = 1\nname = "x"\n[roles.a]\npatterns = ["gtv.*"]\n[roles.b]\npatterns = ["gtv n"]'
    )
    reading = read_name("GTV N", rules)
    assert reading.verdict is Verdict.AMBIGUOUS
    assert reading.roles == ("a", "b")
    assert reading.role is None


def test_an_exact_name_counts_more_than_a_pattern_and_than_ignore() -> None:
    rules = parse_rules(
        'version = 1\nname = "x"\nignore = [".*old.*"]\n'
        '[roles.a]\nexact = ["GTV_old"]\n[roles.b]\npatterns = ["gtv.*"]'
    )
    assert read_name("gtv OLD", rules).role == "a"
    assert read_name("gtv older", rules).verdict is Verdict.IGNORED


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("version = 2\nname = 'x'\n[roles.a]", "version"),
        ("version = 1\nname = 'x'\n[roles.a]\nexakt = ['GTV']", r"roles\.a\.exakt"),
        ("version = 1\nname = 'x'\n[roles.a]\npatterns = ['gtv(']", "no regular expression"),
        ("version = 1\nname = 'x'\nignore = ['(']\n[roles.a]", "no regular expression"),
        ("version = 1\nname = 'x'\n[roles.a]\nseveral = 'guess'", r"roles\.a\.several"),
        ("version = 1\nversion = 1", "overwrite"),
    ],
)
def test_a_wrong_rule_file_says_where(text: str, says: str) -> None:
    with pytest.raises(InvalidDataError, match=says):
        parse_rules(text)


def test_comments_do_not_change_what_rules_are_known_by() -> None:
    assert parse_rules(default_rules() + "\n# later").digest == read_rules(None).digest
    other = default_rules().replace("threshold = 0.5", "threshold = 0.6")
    assert parse_rules(other).digest != read_rules(None).digest


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("GTV_70 old", "GTV_70 old"),
        ("GTV Meyer", "GTV *"),
        ("GTVp 12345678", "GTVp *"),
        ("GTV 12.03.1961", "GTV *.*.*"),
        ("GTV\x1b[3m", "GTV**3*"),
        ("Père Noël", "* *"),
    ],
)
def test_words_that_may_be_a_person_are_masked(name: str, shown: str) -> None:
    assert shown_region(name) == shown


def test_names_are_compared_without_case_accents_and_signs() -> None:
    assert words_of("  GTV-70_RÉC. ") == "gtv 70 rec"
