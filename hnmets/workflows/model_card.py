"""The card of a registered model, filled from the findings of its run."""

from collections.abc import Iterator

from hnmets.evaluation.estimate import NotEstimable
from hnmets.registry.card import Card, Fact, Figure
from hnmets.registry.package import Package
from hnmets.reporting.few_events import FEW
from hnmets.reporting.findings import Findings
from hnmets.reporting.rung import Rung
from hnmets.reporting.tripod import tripod_lines


def card_of(package: Package, findings: Findings) -> Card:
    """Return what is known of a model; what nobody has said stays empty."""
    rung = findings.rung(package.rung)
    return Card(
        title=f"{package.name}: {package.rung}",
        measured=_measured(package, findings),
        unmeasured=_unmeasured(package),
        facts=tuple(_facts(package, findings)),
        figures=tuple(_figures(rung)),
        limits=tuple(_limits(package, findings)),
        tripod=tuple(
            Fact(name=f"{line.item.number} {line.item.topic}", text=line.text)
            for line in tripod_lines(findings)
        ),
    )


def _measured(package: Package, findings: Findings) -> str:
    protocol, rung = findings.protocol, findings.rung(package.rung)
    return (
        f"The figures are of {protocol.repeats} × {protocol.folds} fold models, each asked about "
        f"the patients whom it had not learned from: {rung.n} patients, {rung.events} with the "
        f"event, split {package.lineage.split_hash[:8]}."
    )


def _unmeasured(package: Package) -> str:
    if package.kind == "refit":
        return (
            "This model is a refit on all patients: no figure is its own until patients of "
            "elsewhere have been asked about."
        )
    return (
        "The model answers with the mean of all members. The members were measured; their mean "
        "was not, and will not be until patients of elsewhere have been asked about."
    )


def _facts(package: Package, findings: Findings) -> Iterator[Fact]:
    flow, endpoint, protocol = findings.flow, findings.endpoint, findings.protocol
    families = list(dict.fromkeys(column.family for column in package.columns))
    yield Fact(name="predicts", text=f"the risk of {package.predicts.text}")
    yield Fact(name="intended use", text=findings.statements.get("3b", ""))
    yield Fact(name="patients", text=f"{flow.patients}, {flow.events} with the event")
    yield Fact(name="study", text=findings.study)
    yield Fact(name="endpoint", text=f"{endpoint.definition}; censored: {endpoint.censoring}")
    yield Fact(name="model", text=f"{package.model}, {len(package.members)} members")
    yield Fact(name="inputs", text=f"{len(package.columns)} values: {', '.join(families)}")
    yield Fact(name="feature sets", text=", ".join(recipe.label for recipe in package.recipes))
    yield Fact(name="what is missing", text=_missing(package))
    yield Fact(
        name="threshold",
        text=f"{package.threshold:.4f}, median over the members; {protocol.threshold_rule}",
    )
    yield Fact(name="calibration", text=protocol.calibration_rule)
    yield Fact(name="training patients behind the reference", text=f"{package.reference.patients}")
    yield Fact(name="funding", text=findings.statements.get("18a", ""))
    yield Fact(name="ethics approval", text=findings.statements.get("17", ""))
    yield Fact(name="registered from run", text=package.lineage.run)
    yield Fact(name="code", text=f"hnmets {package.lineage.code_version}")


def _missing(package: Package) -> str:
    single = "a single value: the training median, and a flag"
    if package.policy == "complete-case":
        return f"{single}; a whole feature set: refused"
    return f"{single}; a whole feature set: training medians, and a flag of lower confidence"


def _figures(rung: Rung) -> Iterator[Figure]:
    yield Figure(name="AUC, pooled out of fold", value=rung.auc, logged_as="auc")
    yield Figure(name="AUC, mean of the folds", value=rung.fold_mean, logged_as="fold_mean_auc")
    yield Figure(
        name="average precision", value=rung.average_precision, logged_as="average_precision"
    )
    if not isinstance(rung.operating, NotEstimable):
        for name in ("sensitivity", "specificity", "ppv", "npv", "accuracy"):
            yield Figure(name=name, value=getattr(rung.operating, name), logged_as=name)
    if not isinstance(rung.calibration, NotEstimable):
        found = rung.calibration
        yield Figure(name="calibration slope", value=found.slope, logged_as="calibration_slope")
        yield Figure(
            name="calibration intercept",
            value=found.intercept,
            logged_as="calibration_intercept",
        )
        yield Figure(name="observed / expected", value=found.observed_expected)
        yield Figure(name="Brier score", value=found.brier, logged_as="brier")
    if rung.versus_baseline is not None:
        yield Figure(
            name=f"AUC beyond {rung.versus_baseline.against}",
            value=rung.versus_baseline.delta,
            logged_as="delta_auc",
        )


def _limits(package: Package, findings: Findings) -> Iterator[str]:
    rung = findings.rung(package.rung)
    yield "Research use only: it is no medical device, and no treatment may follow from it."
    yield "When it was registered nobody knew how it does elsewhere: internal validation alone."
    if min(rung.events, rung.n - rung.events) < FEW:
        yield f"{rung.events} patients with the event: too few for any claim."
    if package.predicts.horizon_days is None:
        yield 'No horizon was set: a risk has no "by when".'
    for control in findings.unbeaten.get(package.rung, []):
        yield f"Not shown to be better than the control '{control.name}'."
    yield from (f"Open: {suspicion.anonymous}" for suspicion in findings.suspicions)
    yield from findings.limits
