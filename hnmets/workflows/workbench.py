"""The extractors that a study asks for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from feature_store.recipe import Recipe
from hnmets.domain.errors import UsageError
from hnmets.domain.region import RegionRule
from hnmets.extractors.base import RegionExtractor
from hnmets.extractors.clinical import Clinical
from hnmets.extractors.embedding import Embedding
from hnmets.extractors.endpoint import Endpoint
from hnmets.extractors.parts import around_of
from hnmets.extractors.radiomics import Radiomics
from hnmets.extractors.roster import Roster
from hnmets.extractors.size import Size
from hnmets.imaging.crop_cache import CropCache
from hnmets.workflows.study import Study

Table = Roster | Clinical | Endpoint
FAMILIES = ("cohort", "radiomics", "size", "embedding", "clinical", "outcome")


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
    """

    store: Path
    rules: Mapping[str, RegionRule]
    measures: tuple[RegionExtractor, ...]
    embeddings: tuple[Embedding, ...]
    tables: tuple[Table, ...]
    memory_gib: float

    @property
    def regions_by_recipe(self) -> list[tuple[Recipe, tuple[str, ...]]]:
        """Each recipe that reads images, with the regions that it looks at."""
        return [
            *((measure.recipe, (measure.region,)) for measure in self.measures),
            *((embedding.recipe, embedding.regions) for embedding in self.embeddings),
        ]

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """Every recipe, in the order in which people read them."""
        return tuple(e.recipe for e in (*self.tables, *self.measures, *self.embeddings))

    @property
    def crop_folder(self) -> Path:
        """Where crops are kept."""
        return self.store / "crops"

    @property
    def crops(self) -> CropCache:
        """Crops that were cut before; all embeddings share them."""
        return CropCache(folder=self.crop_folder, parameters=self.embeddings[0].parameters.crop)

    @property
    def batch(self) -> int:
        """Cases that go through the network together."""
        return self.embeddings[0].parameters.batch_size if self.embeddings else 1

    def only_embeddings(self, wanted: Iterable[str]) -> bool:
        """Whether nothing but embeddings is wanted."""
        return set(wanted) <= {embedding.recipe.fingerprint for embedding in self.embeddings}


def workbench_of(study: Study, *, only: tuple[str, ...] = ()) -> Workbench:
    """Set up the extractors of a study.

    Parameters
    ----------
    only
        Families to keep; empty for all.

    Raises
    ------
    UsageError
        If there is no such family.
    """
    if unknown := sorted(set(only) - set(FAMILIES)):
        raise UsageError(f"no family '{unknown[0]}'").with_note(
            f"Choose of {', '.join(FAMILIES)}."
        )
    families = set(only or FAMILIES)
    rules = study.regions
    measures: list[RegionExtractor] = []
    if "radiomics" in families:
        measures += [
            Radiomics(
                region=region,
                rule=rules[region],
                around=around_of(rules, region),
                parameters=study.radiomics.parameters,
            )
            for region in study.measured["radiomics"]
        ]
    if "size" in families:
        measures += [
            Size(region=region, rule=rules[region], around=around_of(rules, region))
            for region in study.measured["size"]
        ]
    return Workbench(
        store=study.store_folder,
        rules=rules,
        measures=tuple(measures),
        embeddings=study.embeddings if "embedding" in families else (),
        tables=tuple(table for table in study.tables if table.recipe.kind in families),
        memory_gib=study.build.limits.memory_gib,
    )
