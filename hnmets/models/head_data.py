"""The rows of a stack's members on the device, each distinct table once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hnmets.models.head_batches import PADDING
from hnmets.models.head_layout import HeadLayout
from hnmets.models.head_member import HeadRows
from hnmets.models.head_padding import columns_in, common_layout, filled


@dataclass(frozen=True, kw_only=True)
class StackData:
    """Tables one below the other.

    Parameters
    ----------
    inputs
        float32, shape (rows of all tables, columns).
    events
        float32, shape (rows of all tables,).
    starts
        int64, shape (members,): first row of each member's table.
    """

    inputs: Tensor
    events: Tensor
    starts: Tensor

    def among(self, places: Tensor) -> "StackData":
        """Return the data of some of the members."""
        return StackData(inputs=self.inputs, events=self.events, starts=self.starts[places])

    def batch(
        self, places: Tensor, weights: Tensor, *, out: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Gather rows.

        Parameters
        ----------
        places
            int64, shape (members, rows): places in each member's table, or `PADDING`.
        weights
            Shape (members, 2): weight of a patient without and with the event.
        out
            Memory for the inputs, shape (members · rows or more, columns). Fresh memory for
            each batch costs the kernel ten times as long as gathering the rows takes.

        Returns
        -------
        inputs, events, weights
            Shapes (members, rows, columns), (members, rows), (members, rows).
        """
        rows = (places.clamp(min=0) + self.starts[:, None]).view(-1)
        memory = None if out is None else out[: len(rows)]
        inputs = torch.index_select(self.inputs, 0, rows, out=memory).view(*places.shape, -1)
        events = self.events.index_select(0, rows).view(places.shape)
        weighted = torch.where(events > 0, weights[:, 1:], weights[:, :1])
        return inputs, events, weighted * (places != PADDING)


def stack_data(
    tables: Sequence[HeadRows], layouts: Sequence[HeadLayout], device: torch.device
) -> StackData:
    """Put the tables of the members on the device.

    Parameters
    ----------
    layouts
        Of the members, of one kind: narrower tables are filled with zeros.
    """
    common = common_layout(layouts)
    keys = [(id(t), own.widths) for t, own in zip(tables, layouts, strict=True)]
    distinct = {key: (table, own) for key, table, own in zip(keys, tables, layouts, strict=True)}
    sizes = [len(table.outcome) for table, _ in distinct.values()]
    start_of = dict(zip(distinct, np.cumsum([0, *sizes[:-1]]).tolist(), strict=True))
    inputs = np.concatenate(
        [
            filled(table.inputs, columns_in(own, common), common.columns)
            for table, own in distinct.values()
        ]
    )
    events = np.concatenate([table.outcome for table, _ in distinct.values()])
    return StackData(
        inputs=_on(inputs, device),
        events=_on(events.astype(np.float32), device),
        starts=torch.tensor([start_of[key] for key in keys], device=device),
    )


def _on(values: NDArray[np.float32], device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32)).to(device)
