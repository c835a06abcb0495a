"""The versions of a study's model, where its runs are."""

import os
import re

from hnmets.registry.audit_log import AuditLog
from hnmets.registry.versions import ModelRegistry
from hnmets.tracking.place import place_of
from hnmets.tracking.privacy import Privacy
from hnmets.workflows.study import Study


def model_registry(study: Study) -> ModelRegistry:
    """Return the versions of the study's model.

    Examples
    --------
    The study "Which modality helps" has the model `which-modality-helps`.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", experiment_of(study).lower()).strip("-")
    return ModelRegistry(place_of(study.folder, os.environ), name=slug or "model")


def experiment_of(study: Study) -> str:
    """Return the name under which MLflow knows the study."""
    return Privacy.of(study.folder).text(study.about.name)


def audit_log(study: Study) -> AuditLog:
    """Return the study's record of what became of its versions."""
    return AuditLog(study.store_folder / "registry" / "audit.jsonl")
