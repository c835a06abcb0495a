"""The items of TRIPOD+AI, in our words."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TripodItem:
    """One line of the checklist.

    Parameters
    ----------
    number
        As in the checklist: `12c`.
    asks
        What a reader wants to know there.
    """

    number: str
    section: str
    topic: str
    asks: str


def _section(section: str, *lines: tuple[str, str, str]) -> tuple[TripodItem, ...]:
    return tuple(
        TripodItem(number=number, section=section, topic=topic, asks=asks)
        for number, topic, asks in lines
    )


# The 27 items with their parts. Collins et al. 2024, doi:10.1136/bmj-2023-078378.
TRIPOD_ITEMS = (
    *_section(
        "Title and abstract",
        ("1", "Title", "what is predicted, in whom, developed or evaluated"),
        ("2", "Abstract", "structured summary"),
    ),
    *_section(
        "Introduction",
        ("3a", "Background", "clinical context, existing models"),
        ("3b", "Background", "intended patients, place in the pathway, intended users"),
        ("3c", "Background", "known health inequalities"),
        ("4", "Objectives", "development, evaluation or both"),
    ),
    *_section(
        "Methods",
        ("5a", "Data", "sources and how representative they are"),
        ("5b", "Data", "dates of inclusion and end of follow-up"),
        ("6a", "Participants", "setting, number and place of centres"),
        ("6b", "Participants", "eligibility"),
        ("6c", "Participants", "treatments received"),
        ("7", "Data preparation", "preprocessing and quality checks"),
        ("8a", "Outcome", "definition, horizon, how and when assessed"),
        ("8b", "Outcome", "who assessed it, where that takes judgement"),
        ("8c", "Outcome", "blinding of the assessment"),
        ("9a", "Predictors", "choice of the initial predictors"),
        ("9b", "Predictors", "definition and measurement"),
        ("9c", "Predictors", "who assessed them, where that takes judgement"),
        ("10", "Sample size", "how it came about and whether it suffices"),
        ("11", "Missing data", "how they were handled"),
        ("12a", "Analysis", "how the data were divided"),
        ("12b", "Analysis", "how predictors were handled"),
        ("12c", "Analysis", "type of model, tuning, internal validation"),
        ("12d", "Analysis", "differences between centres"),
        ("12e", "Analysis", "measures of performance"),
        ("12f", "Analysis", "updating of the model"),
        ("12g", "Analysis", "how predictions were calculated"),
        ("13", "Class imbalance", "how it was handled, and recalibration"),
        ("14", "Fairness", "what was done about it"),
        ("15", "Model output", "probability or class, and thresholds"),
        ("16", "Training versus evaluation", "differences between the data"),
        ("17", "Ethical approval", "committee and consent"),
    ),
    *_section(
        "Open science",
        ("18a", "Funding", "sources and role of funders"),
        ("18b", "Conflicts of interest", "of all authors"),
        ("18c", "Protocol", "where it can be read"),
        ("18d", "Registration", "register and number"),
        ("18e", "Data sharing", "availability of the data"),
        ("18f", "Code sharing", "availability of the code"),
        ("19", "Patient and public involvement", "in design, conduct, reporting"),
    ),
    *_section(
        "Results",
        ("20a", "Participants", "flow, with and without the outcome, follow-up"),
        ("20b", "Participants", "characteristics and missing data"),
        ("20c", "Participants", "comparison with the development data"),
        ("21", "Model development", "participants and events in each analysis"),
        ("22", "Model specification", "enough to predict for new patients"),
        ("23a", "Performance", "estimates with intervals, also in subgroups"),
        ("23b", "Performance", "differences between centres"),
        ("24", "Model updating", "results of it"),
    ),
    *_section(
        "Discussion",
        ("25", "Interpretation", "of the results, with fairness"),
        ("26", "Limitations", "and what they may bias"),
        ("27a", "Usability", "poor or missing input when used"),
        ("27b", "Usability", "what users must do and know"),
        ("27c", "Usability", "next steps"),
    ),
)
