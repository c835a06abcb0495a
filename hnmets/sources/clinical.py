"""Clinical columns: what each cell means, by the rules of the study file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from hnmets.sources.finding import Findings
from hnmets.sources.number import DecimalSign, decimal_sign, parse_number, why_not

VariableType = Literal["number", "category", "boolean", "date"]
Value = float | str | None
Cell = tuple[int, str]

_BOOLEAN = {"true": ("1", "1.0", "yes"), "false": ("0", "0.0", "no")}


@dataclass(frozen=True, kw_only=True)
class ClinicalRule:
    """How one clinical column is read, and whether it may predict.

    Parameters
    ----------
    column
        Column of the manifest.
    type
        `number`; `category`; `boolean`, stored as `true` and `false`; `date`, stored as
        `YYYY-MM-DD` and never a predictor.
    unit
        Unit of a number, for people.
    values
        Spellings by category: `IVA = ["Stade IVA", "Stage IVA"]`; the name itself counts as a
        spelling. Without it every spelling is a category of its own.
    missing
        Spellings of unknown, such as `TBD`; an empty cell always is.
    minimum, maximum
        Plausible range of a number; what lies outside is reported and taken as missing.
    decimal
        Decimal sign; without it the column's own is found out.
    format
        Of a date that is not `YYYY-MM-DD`, such as `%d/%m/%Y`.
    known_at
        `baseline` makes the column a predictor; anything else only describes it.
    override_reason
        Why the column is known at baseline although its name smells of the future.
    """

    column: str
    type: VariableType
    unit: str = ""
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    decimal: DecimalSign | None = None
    format: str | None = None
    known_at: str = ""
    override_reason: str = ""

    def __post_init__(self) -> None:
        """Check that the settings fit each other."""
        if self.values and self.type not in {"category", "boolean"}:
            raise ValueError(f"`values` are for categories; this is a {self.type}")
        if self.type == "boolean" and not set(self.values) <= set(_BOOLEAN):
            raise ValueError("`values` of a boolean are `true` and `false`")
        if self.type != "number" and (self.minimum, self.maximum) != (None, None):
            raise ValueError("`minimum` and `maximum` are for numbers")
        if self.format is not None and self.type != "date":
            raise ValueError("`format` is for dates")
        if None not in (self.minimum, self.maximum) and self.minimum > self.maximum:  # type: ignore[operator]  # mypy does not narrow by `in`
            raise ValueError("`minimum` is above `maximum`")
        if "unknown" in self.values:
            # Features keep `unknown` for patients without a value.
            raise ValueError("`unknown` is no category; list its spellings in `missing`")
        _check_spellings(self.values, self.missing)

    @property
    def is_predictor(self) -> bool:
        """Whether models may see the column."""
        return self.known_at == "baseline" and self.type != "date"


def _check_spellings(values: Mapping[str, Sequence[str]], missing: Sequence[str]) -> None:
    seen: dict[str, str] = dict.fromkeys(missing, "missing")
    for name, spellings in values.items():
        for spelling in {name, *spellings}:
            if spelling in seen:
                raise ValueError(f"'{spelling}' means both {seen[spelling]} and {name}")
            seen[spelling] = name


def read_column(rule: ClinicalRule, cells: Sequence[Cell], findings: Findings) -> list[Value]:
    """Return the value of each cell; None where it is missing or not understood.

    Parameters
    ----------
    cells
        Row number and text of each cell.
    findings
        Receives every value that was not understood.
    """
    given = [text for _, text in cells if not is_missing(text, rule.missing)]
    sign = rule.decimal or decimal_sign(given)
    meanings = _meanings(rule, given)
    values: list[Value] = []
    for row, text in cells:
        value, problem = (
            (None, "")
            if is_missing(text, rule.missing)
            else _understand(text, rule=rule, sign=sign, meanings=meanings)
        )
        if problem:
            findings.add(row=row, column=rule.column, value=text, problem=problem)
        values.append(value)
    return values


def is_missing(text: str, missing: Sequence[str]) -> bool:
    """Return whether a text says that nothing is known."""
    return text == "" or text in missing


def spellings_of(values: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the category of each spelling.

    Examples
    --------
    >>> spellings_of({"IVA": ["Stade IVA"]})
    {'IVA': 'IVA', 'Stade IVA': 'IVA'}
    """
    return {
        spelling: name
        for name, listed in values.items()
        for spelling in dict.fromkeys([name, *listed])
    }


def _meanings(rule: ClinicalRule, given: Sequence[str]) -> dict[str, str]:
    if rule.type == "boolean":
        return spellings_of(rule.values or _BOOLEAN)
    return spellings_of(rule.values) if rule.values else {text: text for text in given}


def _understand(
    text: str, *, rule: ClinicalRule, sign: DecimalSign, meanings: Mapping[str, str]
) -> tuple[Value, str]:
    """Return the value, or None and the problem in words."""
    if rule.type == "number":
        return _number(text, rule, sign)
    if rule.type == "date":
        return _date(text, rule.format)
    if text in meanings:
        return meanings[text], ""
    return (
        None,
        f"not among the values of the column: {', '.join(dict.fromkeys(meanings.values()))}",
    )


def _number(text: str, rule: ClinicalRule, sign: DecimalSign) -> tuple[Value, str]:
    number = parse_number(text, sign)
    if number is None:
        return None, why_not(text)
    if rule.minimum is not None and number < rule.minimum:
        return None, f"below the minimum of {rule.minimum:g}"
    if rule.maximum is not None and number > rule.maximum:
        return None, f"above the maximum of {rule.maximum:g}"
    return number, ""


def _date(text: str, style: str | None) -> tuple[Value, str]:
    # Spreadsheets hand over midnight with every date.
    text = text.removesuffix(" 00:00:00")
    try:
        # Only the day is kept, so no time zone is involved.
        return datetime.strptime(text, style or "%Y-%m-%d").date().isoformat(), ""
    except ValueError:
        return None, "not a date of the form " + (
            style or "YYYY-MM-DD (day or month first? set `format`)"
        )
