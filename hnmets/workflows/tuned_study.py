"""What a search has found, as a study file that every other command takes."""

import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import tomli_w

from feature_store.atomic import write_atomic
from hnmets.evaluation.estimate import Estimate
from hnmets.tuning.configuration import HeadConfiguration
from hnmets.workflows.study import Study, parse_study
from hnmets.workflows.tuning_plan import Search
from hnmets.workflows.tuning_scores import TUNED, Nested, features_of
from hnmets.workflows.tuning_section import digest_of_cases


def tuned_file(study: Study, search: str) -> Path:
    """Return where the study file of a search lies: beside the one that was searched for."""
    return study.file.with_name(f"{study.file.stem}.{search}.toml")


def write_tuned(search: Search, chosen: HeadConfiguration, nested: Nested) -> Path:
    """Write the study file with the settings of a configuration; return it."""
    study = search.study
    content = tomllib.loads(study.file.read_text(encoding="utf-8-sig"))
    content["selection"] = content.get("selection", {}) | {
        "correlation_limit": chosen.correlation_limit,
        "top": chosen.top,
        "components": chosen.components,
    }
    content["head"] = asdict(chosen.head)
    evaluation = content.setdefault("evaluation", {})
    others = [view for view in evaluation.get("views", ()) if view["name"] != TUNED]
    features = list(features_of(search, chosen))
    evaluation["views"] = [*others, {"name": TUNED, "features": features, "model": "fusion"}]
    content["tuned"] = _origin(search, nested)
    file = tuned_file(study, search.plan.name)
    text = f"# Found by the search {search.plan.name}; evaluate it by: hnmets evaluate tuned\n"
    text += tomli_w.dumps(content)
    parse_study(text, file)
    write_atomic(file, text.encode())
    return file


def _origin(search: Search, nested: Nested) -> dict[str, Any]:
    origin: dict[str, Any] = {
        "search": search.plan.name,
        "cases": digest_of_cases(search.dataset.rows.case_ids),
    }
    auc = nested.tuned.measures["auc"]
    if isinstance(auc, Estimate):
        origin |= {"nested_auc": auc.value, "low": auc.low, "high": auc.high}
    return origin
