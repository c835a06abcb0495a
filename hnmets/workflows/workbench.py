"""The extractors that a study asks for."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from feature_store.recipe import Recipe
from hnmets.domain.errors import UsageError
from hnmets.domain.region import RegionRule
from hnmets.extractors.altered import suffix_of
from hnmets.extractors.base import RegionExtractor
from hnmets.extractors.clinical import Clinical
from hnmets.extractors.embedding import Embedding
from hnmets.extractors.endpoint import Endpoint
from hnmets.extractors.parts import around_of
from hnmets.extractors.radiomics import Radiomics
from hnmets.extractors.radiomics_audit import RadiomicsAudit
from hnmets.extractors.roster import Roster
from hnmets.extractors.size import Size
from hnmets.imaging.alteration import Alteration
from hnmets.imaging.controls import Control
from hnmets.imaging.crop_cache import CropCache
from hnmets.workflows.alteration import region_needed_by
from hnmets.workflows.fold_networks import frozen_twins, trained_embeddings
from hnmets.workflows.study import Study

Table = Roster | Clinical | Endpoint
FAMILIES = ("cohort", "radiomics", "size", "embedding", "clinical", "outcome")
_OF_IMAGES = ("radiomics", "size", "embedding")


@dataclass(frozen=True, kw_only=True)
class Workbench:
    """What every task of a build shares.

    Parameters
    ----------
    store
        Folder of the feature store; shards and crops go there.
    rules
        Regions of the study by name.
    measures, embeddings, tables
        Extractors that were asked for.
    memory_gib
        What one worker may use; larger images are refused before they are read.
    alteration
        Control or perturbation that every case goes through; none for the study itself.
    """

    store: Path
    rules: Mapping[str, RegionRule]
    measures: tuple[RegionExtractor, ...]
    embeddings: tuple[Embedding, ...]
    tables: tuple[Table, ...]
    memory_gib: float
    alteration: Alteration | None = None

    @property
    def regions_by_recipe(self) -> list[tuple[Recipe, tuple[str, ...]]]:
        """Each recipe that reads images, with the regions that its values hang on."""
        also = region_needed_by(self.alteration)
        return [
            *((measure.recipe, (measure.region, *also)) for measure in self.measures),
            *((e.recipe, (*e.regions, *also)) for e in self.embeddings),
        ]

    @cached_property
    def regions_of(self) -> dict[str, tuple[str, ...]]:
        """The regions that a recipe's values hang on, by its fingerprint."""
        return {recipe.fingerprint: regions for recipe, regions in self.regions_by_recipe}

    def stage(self, name: str) -> str:
        """Return where a failure happened: what fails in a control does not fail in the study."""
        return name + suffix_of(self.alteration)

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """Every recipe, in the order in which people read them."""
        return tuple(e.recipe for e in (*self.tables, *self.measures, *self.embeddings))

    @cached_property
    def audits(self) -> dict[str, RadiomicsAudit]:
        """What compares the radiomics of the fast engine, by their fingerprint."""
        return {
            measure.recipe.fingerprint: RadiomicsAudit(audited=measure)
            for measure in self.measures
            if isinstance(measure, Radiomics) and measure.parameters.engine_in_use == "fast"
        }

    @property
    def stored_recipes(self) -> tuple[Recipe, ...]:
        """The recipes, and those of the audits' own rows."""
        return (*self.recipes, *(audit.recipe for audit in self.audits.values()))

    @property
    def crop_folder(self) -> Path:
        """Where crops are kept."""
        return crop_folder(self.store)

    @property
    def crops(self) -> CropCache:
        """Crops that were cut before; all embeddings share them."""
        return CropCache(folder=self.crop_folder, parameters=self.embeddings[0].parameters.crop)

    def of(self, names: Collection[str]) -> "Workbench":
        """Return the bench with no extractor of images but those whose recipe has such a name."""
        return replace(
            self,
            measures=tuple(each for each in self.measures if each.recipe.name in names),
            embeddings=tuple(each for each in self.embeddings if each.recipe.name in names),
        )

    @property
    def batch(self) -> int:
        """Cases that go through the network together."""
        return self.embeddings[0].parameters.batch_size if self.embeddings else 1

    def only_embeddings(self, wanted: Iterable[str]) -> bool:
        """Whether nothing but embeddings is wanted."""
        return set(wanted) <= {embedding.recipe.fingerprint for embedding in self.embeddings}


def crop_folder(store: Path) -> Path:
    """Return where a store keeps crops."""
    return store / "crops"


def workbench_of(
    study: Study, *, only: tuple[str, ...] = (), alteration: Alteration | None = None
) -> Workbench:
    """Set up the extractors of a study.

    Parameters
    ----------
    only
        Families to keep; empty for all.
    alteration
        Control or perturbation; what comes from tables is not altered and left out.

    Raises
    ------
    UsageError
        If there is no such family.
    """
    families = set(only or _families(alteration))
    _check(families, alteration)
    rules = study.regions
    measures: list[RegionExtractor] = []
    if "radiomics" in families:
        measures += [
            Radiomics(
                region=region,
                rule=rules[region],
                around=around_of(rules, region),
                parameters=study.radiomics.parameters,
                memory_gib=study.build.memory_limit_gib,
                alteration=alteration,
            )
            for region in study.measured["radiomics"]
        ]
    if "size" in families:
        measures += [
            Size(
                region=region,
                rule=rules[region],
                around=around_of(rules, region),
                alteration=alteration,
            )
            for region in study.measured["size"]
        ]
    return Workbench(
        store=study.store_folder,
        rules=rules,
        measures=tuple(measures),
        embeddings=_embeddings(study, alteration) if "embedding" in families else (),
        tables=tuple(table for table in study.tables if table.recipe.kind in families),
        memory_gib=study.build.limits.memory_gib,
        alteration=alteration,
    )


def _embeddings(study: Study, alteration: Alteration | None) -> tuple[Embedding, ...]:
    """Return the study's embeddings; unaltered, those of its trained backbones too."""
    if alteration is not None:
        return tuple(replace(e, alteration=alteration) for e in study.embeddings)
    trained = trained_embeddings(study)
    return (*study.embeddings, *frozen_twins(study, trained), *trained)


def _families(alteration: Alteration | None) -> tuple[str, ...]:
    """Return the families that a build has."""
    if alteration is None:
        return FAMILIES
    constant = isinstance(alteration, Control) and alteration.is_constant
    return _OF_IMAGES[1:] if constant else _OF_IMAGES


def _check(families: set[str], alteration: Alteration | None) -> None:
    if unknown := sorted(families - set(FAMILIES)):
        raise UsageError(f"no family '{unknown[0]}'").with_note(
            f"Choose of {', '.join(FAMILIES)}."
        )
    if alteration and (foreign := sorted(families - set(_families(alteration)))):
        raise UsageError(f"'{alteration.name}' alters no {foreign[0]} feature").with_note(
            f"Choose of {', '.join(_families(alteration))}."
        )
