"""What a search has found, as a study file that every other command takes."""

import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import tomli_w

from feature_store.atomic import write_atomic
from hnmets.evaluation.estimate import Estimate
from hnmets.tuning.backbone_space import BackboneConfiguration
from hnmets.tuning.configuration import HeadConfiguration
from hnmets.tuning.plan import Configuration
from hnmets.workflows.nested import TUNED, Nested
from hnmets.workflows.searches import Search
from hnmets.workflows.study import Study, parse_study
from hnmets.workflows.tuning_head_scores import features_of
from hnmets.workflows.tuning_heads import SearchOfHeads
from hnmets.workflows.tuning_section import digest_of_cases


def tuned_file(study: Study, search: str) -> Path:
    """Return where the study file of a search lies: beside the one that was searched for."""
    return study.file.with_name(f"{study.file.stem}.{search}.toml")


def write_tuned(search: Search, chosen: Configuration, nested: Nested) -> Path:
    """Write the study file with the settings of a configuration; return it."""
    study = search.study
    content = tomllib.loads(study.file.read_text(encoding="utf-8-sig"))
    if isinstance(search, SearchOfHeads) and isinstance(chosen, HeadConfiguration):
        _set_head(content, search, chosen)
    elif isinstance(chosen, BackboneConfiguration):
        _set_backbone(content, chosen)
    content["tuned"] = _origin(search, nested)
    file = tuned_file(study, search.plan.name)
    text = f"# Found by the search {search.plan.name}.\n{tomli_w.dumps(content)}"
    parse_study(text, file)
    write_atomic(file, text.encode())
    return file


def _set_head(content: dict[str, Any], search: SearchOfHeads, chosen: HeadConfiguration) -> None:
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


def _set_backbone(content: dict[str, Any], chosen: BackboneConfiguration) -> None:
    """Set what training takes from the study; which backbone is said to `train backbone`."""
    shape = chosen.architecture
    content["embedding"] = content.get("embedding", {}) | {
        "embed_dim": shape.embed_dim,
        "depths": list(shape.depths),
        "window": shape.window,
        "patch": shape.patch,
        "seed": chosen.init,
    }
    content["backbone"] = asdict(chosen.training)


def _origin(search: Search, nested: Nested) -> dict[str, Any]:
    origin: dict[str, Any] = {
        "search": search.plan.name,
        "cases": digest_of_cases(search.dataset.rows.case_ids),
    }
    auc = nested.tuned.measures["auc"]
    if isinstance(auc, Estimate):
        origin |= {"nested_auc": auc.value, "low": auc.low, "high": auc.high}
    return origin
