"""Write radiomics_phantom.csv again: python -m tests.golden.make_radiomics_phantom."""

from pathlib import Path

from hnmets.domain.region import DrawnRegion
from hnmets.extractors.radiomics import Radiomics
from tests.builders_cases import ball_case

GOLDEN = Path(__file__).with_name("radiomics_phantom.csv")


def main() -> None:
    radiomics = Radiomics(region="tumour", rule=DrawnRegion(mask=""))
    [features] = radiomics.extract(ball_case())
    made_with = ", ".join(f"{name} {v}" for name, v in radiomics.recipe.libraries.items())
    lines = [
        f"# tests.builders_cases.ball_case(), measured with {made_with}",
        "# regenerate: python -m tests.golden.make_radiomics_phantom",
        "feature,value",
        *(
            f"{column},{float(value)!r}"
            for column, value in zip(radiomics.recipe.columns, features.values, strict=True)
        ),
    ]
    GOLDEN.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
