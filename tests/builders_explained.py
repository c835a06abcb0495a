"""A patient explained, as `hnmets explain` keeps it, of made-up numbers and a drawn ball."""

import numpy as np

from hnmets.domain.geometry import Geometry
from hnmets.explanation.shares import Shares
from hnmets.reporting.attribution_figure import Bar
from hnmets.reporting.explained import (
    Divided,
    ExplainedCase,
    ExplainedImage,
    Hidden,
    MapShares,
)
from hnmets.reporting.overlay import Picture, planes_of
from tests.builders_volumes import ball

_SHAPE = (24, 24, 24)
_MM = 2.0


def explained_case(
    case_id: str, *, rung: str, split_hash: str, dataset_digest: str
) -> ExplainedCase:
    """Return an explanation whose parts add up, with an image whose weight lies outside."""
    return ExplainedCase(
        case_id=case_id,
        rung=rung,
        fold="repeat 1 fold 2",
        split_hash=split_hash,
        dataset_digest=dataset_digest,
        event=True,
        risk=0.35434369377420455,
        modalities=_divided(-1.4, radiomics=0.52, clinical=-0.05, embedding=0.33),
        columns=_divided(
            -1.5,
            **{
                "radiomics.tumour.original_glcm_Contrast": 0.71,
                "clinical.age": -0.21,
                "38 others": 0.4,
            },
        ),
        image=ExplainedImage(
            network="swin",
            shares=(
                MapShares(
                    method="integrated gradients",
                    shares=Shares(inside=0.12, rim=0.3, outside=0.58, voxels_outside=0.81),
                ),
                MapShares(method="Grad-CAM", shares=None),
            ),
            regions=(
                Hidden(region="tumour", look=0.41, look_and_contour=0.44),
                Hidden(region="mandible", look=-0.03, look_and_contour=None),
            ),
            planes=tuple(planes_of(_picture(case_id))),
        ),
    )


def _divided(base: float, **bars: float) -> Divided:
    return Divided(
        base=base,
        bars=tuple(
            Bar(name=name, value=value, error=0.02 if "others" in name else 0.0)
            for name, value in bars.items()
        ),
        log_odds=base + sum(bars.values()),
    )


def _picture(case_id: str) -> Picture:
    rng = np.random.default_rng(0)
    tumour, both = (
        ball(_SHAPE, centre=(12, 12, 12), radius_mm=mm, spacing_mm=(_MM,) * 3) for mm in (9, 13)
    )
    return Picture(
        title=case_id,
        window=rng.random(_SHAPE, dtype=np.float32),
        maps={"integrated gradients": rng.normal(size=_SHAPE)},
        outlines={"tumour": tumour, "ring": both & ~tumour},
        geometry=Geometry(
            shape=_SHAPE,
            spacing_mm=(_MM,) * 3,
            origin_mm=(0.0, 0.0, 0.0),
            direction=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
        ),
    )
