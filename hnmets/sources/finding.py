"""Values that were not understood, and what was done with them."""

from dataclasses import dataclass, field

from hnmets.domain.errors import NEXT_STEPS, Code


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One value of one column that needs a person's eye.

    Parameters
    ----------
    column, value
        As they stand in the table.
    rows
        Every row with this value, as a spreadsheet numbers them.
    problem
        What is odd about the value.
    done
        What was done with it; nothing is changed without a word here.
    """

    code: Code
    column: str
    value: str
    rows: tuple[int, ...]
    problem: str
    done: str

    @property
    def count(self) -> int:
        """How often the value stands in the table."""
        return len(self.rows)

    @property
    def next_step(self) -> str:
        """What a person can do about it."""
        return NEXT_STEPS[self.code]


@dataclass(kw_only=True)
class Findings:
    """Collects findings; the same value of the same column becomes one finding."""

    _rows: dict[tuple[Code, str, str, str, str], list[int]] = field(default_factory=dict)

    def add(  # noqa: PLR0913 - one argument per field of a finding, all named
        self,
        *,
        row: int,
        column: str,
        value: str,
        problem: str,
        done: str = "taken as missing",
        code: Code = Code.TABLE_VALUE,
    ) -> None:
        """Note one value."""
        self._rows.setdefault((code, column, value, problem, done), []).append(row)

    def collected(self) -> tuple[Finding, ...]:
        """Return the findings, by column and first row."""
        found = (
            Finding(
                code=code,
                column=column,
                value=value,
                rows=tuple(sorted(rows)),
                problem=problem,
                done=done,
            )
            for (code, column, value, problem, done), rows in self._rows.items()
        )
        return tuple(sorted(found, key=lambda finding: (finding.column, finding.rows[0])))
