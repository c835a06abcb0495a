"""What is worth knowing of a version, for people and for programs."""

from dataclasses import asdict

from hnmets.workflows.predict import OpenVersion


def facts_of(opened: OpenVersion) -> dict[str, str | int | float | None]:
    """Return names and values, one a line."""
    version, package = opened.version, opened.predictor.package
    lineage = package.lineage
    return {
        "called": ", ".join(version.aliases),
        "rung": package.rung,
        "model": package.model,
        "predicts": package.predicts.text,
        "kind": f"{package.kind}, {len(package.members)}",
        "threshold": package.threshold,
        "policy": package.policy,
        "inputs": len(package.columns),
        "run": lineage.run,
        "split": f"{lineage.split}, {lineage.split_hash[:8]}",
        "features": lineage.dataset_digest[:12],
        "difference from the evaluation": lineage.replay,
        "tried elsewhere": "; ".join(version.elsewhere) or "never",
        "code": lineage.code_version,
        "package": version.package,
    }


def package_json(opened: OpenVersion) -> dict[str, object]:
    """Return a version as a JSON object; of the training patients nothing but their number."""
    document = asdict(opened.predictor.package)
    document["training"] = {"key_id": opened.predictor.package.training.key_id}
    return {"version": asdict(opened.version), "package": document}
