"""Names that smell of the future are noticed in three languages, others are not."""

import pytest

from hnmets.sources.foresight import future_word

FUTURE = """\
time1; time5; Time diagnosis to PET (days); days_to_recurrence; OS; pfs_months; DM; LR; status
Time - diagnosis to last follow-up(days); followup; follow_up; Locoregional; Distant; Death
vitalStatus; survival_status_with_cause; days_to_last_information; rfs_event; relapsed; survtime
progression; lung_metastasis; cause_of_death; délai_récidive; date_deces; Décès; statut vital
dernières nouvelles; suivi (mois); Überlebenszeit; Rezidiv; Todesursache; Nachsorge; verstorben
dmstatus; osstatus; alivestatus; OSmonths; osdays; fup; exitus; NED; DOD; AWD; lrr; LRR_event
second_primary; Second Primary Tumour; secondPrimary; mets; lung_mets; boneMets; distmet; dist_met
sterbedatum; Sterbedatum; decede; décédé; decedee; décédés; Zweittumor; NED_at_2y; vital_code
Beobachtungsdauer; Rueckfall; Rückfall; Fernmetastasen; letzter_Kontakt"""
BASELINE = """\
age; Age; sex; Sex; Primary Site; T-stage; N-stage; M-stage; tnm; TNM group stage; smoking; p16
pack_years; alcohol; hpv; subsite; grading; tumour_volume; vol; area; pixel; centre; Alter; side
metabolic; metabolic_syndrome; defined; combined_stage; planned_dose; trained; dodecamer; primary
secondhand_smoke; second_reader; new_window; antecedents; precedence; distance_mm; met_expression
dose; dmax; lrt; osteoradionecrosis_risk; osmolality; cmet; birth_month; methotrexate; exit; awards
Geschlecht; Rauchen; âge; tabac; lymphovascular_invasion_L; infiltration_depth_in_mm; laterality
Hemoglobin; weight_kg; number_of_positive_lymph_nodes; histologic_type; karnofsky"""


def names(listed: str) -> list[str]:
    return [name.strip() for line in listed.splitlines() for name in line.split(";")]


@pytest.mark.parametrize("name", names(FUTURE))
def test_what_only_the_future_knows_is_noticed(name: str) -> None:
    assert future_word(name) is not None


@pytest.mark.parametrize("name", names(BASELINE))
def test_what_is_known_at_diagnosis_is_not(name: str) -> None:
    assert future_word(name) is None


def test_a_status_asks_for_a_reason() -> None:
    # The list errs on this side: HPV status is known at baseline, vital status is not.
    assert future_word("HPV status") == "status"
    assert future_word("smoking_status") == "status"
