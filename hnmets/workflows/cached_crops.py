"""The crops that a build has cut, case by case, without touching an image."""

from dataclasses import dataclass

from feature_store.snapshot import Snapshot
from hnmets.domain.errors import InvalidDataError
from hnmets.extractors.embedding import Embedding
from hnmets.imaging.crop import Crop
from hnmets.imaging.crop_cache import CropCache
from hnmets.workflows.study import Study
from hnmets.workflows.workbench import crop_folder


@dataclass(frozen=True, kw_only=True)
class CachedCrops:
    """Where the crop of each case lies.

    Parameters
    ----------
    keys
        By case: the identity of its crop, which changes with the files that it was cut from.
    """

    cache: CropCache
    keys: dict[str, str]

    def read(self, case_id: str) -> Crop:
        """Return the crop of a case.

        Raises
        ------
        InvalidDataError
            If it is gone.
        """
        crop = self.cache.read(self.keys[case_id])
        if crop is None:
            raise InvalidDataError(f"case {case_id}: its crop is gone").with_note(
                f"Cut it again: hnmets features build --only embedding --cases {case_id} --force"
            )
        return crop


def cached_crops(study: Study, embedding: Embedding, snapshot: Snapshot) -> CachedCrops:
    """Return the crops of all cases that the store has the embedding of.

    Parameters
    ----------
    snapshot
        Of the study's own cases.

    Raises
    ------
    InvalidDataError
        If no case has one.
    """
    table = snapshot.tables.get(embedding.recipe.fingerprint)
    keys = table.keys if table else []
    if not keys:
        raise InvalidDataError("the store has no crops of the study's settings").with_note(
            "Cut them first: hnmets features build --only embedding"
        )
    return CachedCrops(
        cache=CropCache(
            folder=crop_folder(study.store_folder), parameters=embedding.parameters.crop
        ),
        keys={case_id: embedding.crop_key(digest) for _, case_id, _, digest, _ in keys},
    )
