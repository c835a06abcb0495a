"""Small rows, members and references for the tests of the fusion head."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hnmets.datasets.rows import ChoosingRows, HeldOutRows, TrainRows
from hnmets.models.head_layout import HeadLayout
from hnmets.models.head_member import HeadRows, Member
from hnmets.models.head_parameters import HeadParameters
from tests.builders_rows import train_rows

QUICK = HeadParameters(
    projection=4, hidden=(6, 3), batch_size=16, epochs=4, patience=4, sparsity=0.0
)
WIDTHS = (7, 3, 2)
MODALITIES = (
    *["embedding.both"] * 6,
    *["radiomics.tumour"] * 3,
    *["clinical"] * 2,
)


def rows_of(seed: int, n: int, *, columns: int = 12, signal: float = 1.0) -> HeadRows:
    """Rows whose first column tells the outcome, by `signal` standard deviations."""
    rng = np.random.default_rng(seed)
    outcome = np.arange(n) % 4 == 0
    inputs = rng.normal(size=(n, columns))
    inputs[:, 0] += signal * outcome
    return HeadRows(inputs=inputs.astype(np.float32), outcome=outcome)


def member(seed: int, n: int = 50, rows: int | None = None, **changes: Any) -> Member:  # noqa: ANN401 - any parameter
    """A member with rows of its own, or those that another seed has."""
    table = seed if rows is None else rows
    return Member(
        fitting=rows_of(table, n),
        choosing=rows_of(table + 1000, 20 + table % 3),
        widths=WIDTHS,
        parameters=replace(QUICK, **changes),
        seed=seed,
    )


def cohort(
    seed: int, n: int, signals: dict[int, float], modalities: Sequence[str] = MODALITIES
) -> TrainRows:
    """Patients, a quarter with the event, of whom some columns tell it by so many deviations."""
    rng = np.random.default_rng(seed)
    outcome = np.arange(n) % 4 == 0
    values = rng.normal(size=(n, len(modalities)))
    for column, signal in signals.items():
        values[:, column] += signal * outcome
    return train_rows(values, outcome, modalities)


def thirds(rows: TrainRows) -> tuple[TrainRows, ChoosingRows, HeldOutRows]:
    """Half of the rows to learn from, a quarter to choose by, a quarter to score."""
    place = np.arange(len(rows.case_ids)) // 4 % 4
    return (
        rows.among(np.flatnonzero(place < 2)),
        ChoosingRows(**vars(rows.among(np.flatnonzero(place == 2)))),
        HeldOutRows(**vars(rows.among(np.flatnonzero(place == 3)))),
    )


def auc(outcome: NDArray[np.bool_], risk: NDArray[np.float64]) -> float:
    """Share of pairs of patients that the risk puts in order."""
    pairs = risk[outcome][:, np.newaxis] - risk[~outcome]
    return float((pairs > 0).mean() + (pairs == 0).mean() / 2)


def plain_logits(layout: HeadLayout, weights: dict[str, Tensor], inputs: Tensor) -> Tensor:
    """One head written again with torch's own layers, patient by patient; weights (in, out)."""

    def through(name: str, x: Tensor) -> Tensor:
        return nn.functional.linear(x, weights[f"{name}.weight"].t(), weights[f"{name}.bias"][0])

    activation = {"concatenation": torch.relu, "gated": torch.tanh, "attention": nn.Identity()}
    found = []
    for patient in inputs:
        blocks = list(torch.split(patient, list(layout.widths)))
        for place, projected in enumerate(layout.projected):
            if projected:
                units = through(f"project.{place}", blocks[place])
                blocks[place] = activation[layout.fusion](units)
        units = torch.cat(blocks)
        if layout.fusion == "gated":
            share = through("gate", units).softmax(dim=0)
            units = (share[:, None] * torch.stack(blocks)).sum(dim=0)
        elif layout.fusion == "attention":
            units = units + torch.cat([_found(through, blocks, k) for k in range(len(blocks))])
        for place in range(len(layout.hidden)):
            units = through(f"layer.{place}", units).relu()
        found.append(through("out", units)[0])
    return torch.stack(found)


def _found(through: Callable[[str, Tensor], Tensor], blocks: list[Tensor], place: int) -> Tensor:
    """What one modality finds in the others: torch's attention with the others as memory."""
    others = torch.stack([block for k, block in enumerate(blocks) if k != place])
    attended: Tensor = nn.functional.scaled_dot_product_attention(
        through("query", blocks[place][None])[None],
        through("key", others)[None],
        through("value", others)[None],
    )
    return through("mix", attended[0, 0])
