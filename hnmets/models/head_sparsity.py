"""Sparse inputs: a group lasso on what each column of the input sends into a head.

A group is all weights that leave one column. After each step of the optimiser its length is made
shorter by a fixed amount, and 0 where it was less (the proximal operator of the group lasso): a
column that tells nothing ends at exactly 0, and no weight of one that does is favoured.

References
----------
Yuan and Lin 2006, doi:10.1111/j.1467-9868.2005.00532.x (group lasso); Parikh and Boyd 2014,
doi:10.1561/2400000003, section 6.5.4 (its proximal operator); Scardapane et al. 2017,
doi:10.1016/j.neucom.2017.02.029 (columns of a network as groups).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from hnmets.models.head_member import Member
from hnmets.models.head_padding import common_layout

Tensors = dict[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class Sparsity:
    """How strongly the columns of each member are held back.

    Parameters
    ----------
    strengths
        Shape (members, 1, 1): `HeadParameters.sparsity` / √steps of an epoch.
    scales
        By name of the weights, shape (inputs, 1): √outputs for a row that reads a column, so that
        maps of different widths are held back alike; 0 for another row.
    """

    strengths: Tensor
    scales: Tensors

    def among(self, places: Tensor) -> "Sparsity":
        """Return the sparsity of some of the members."""
        return replace(self, strengths=self.strengths[places])

    @torch.no_grad()
    def shrink(self, weights: Tensors, rates: Sequence[float]) -> None:
        """Shorten the groups in place, by rate · strength · √outputs.

        Parameters
        ----------
        weights
            By name, first axis the members.
        rates
            Learning rate of each member in the step before.
        """
        like = self.strengths
        amounts = self.strengths * torch.tensor(rates, device=like.device).view(-1, 1, 1)
        for name, scale in self.scales.items():
            length = weights[name].norm(dim=2, keepdim=True)
            # A row of zeros stays one, whatever it is multiplied by.
            length.clamp_(min=torch.finfo(length.dtype).tiny)
            weights[name].mul_((1 - amounts * scale / length).clamp_(min=0))


def sparsity_of(members: Sequence[Member], device: torch.device) -> Sparsity | None:
    """Return the sparsity of members of one kind; None where nobody holds columns back.

    AdamW moves a weight by about the learning rate times its mean gradient over the size of that
    of one batch. Of a column that tells nothing, this share is 1 / √steps of an epoch: so much is
    one standard error.
    """
    strengths = [member.parameters.sparsity / member.steps**0.5 for member in members]
    if not any(strengths):
        return None
    layout = common_layout([member.layout for member in members])
    scales = {
        f"{name}.weight": torch.tensor(reads, device=device).unsqueeze(1)
        * layout.linear[name][1] ** 0.5
        for name, reads in layout.reading.items()
    }
    return Sparsity(strengths=torch.tensor(strengths, device=device).view(-1, 1, 1), scales=scales)
