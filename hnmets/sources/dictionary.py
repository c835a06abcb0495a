"""The data dictionary: what each clinical variable holds, and whether it may predict."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from hnmets.sources.clinical import ClinicalRule, Value, VariableType

# Codes that stand for "unknown" in many registries; as the extreme of a column they are suspect.
_SENTINELS = {-999.0, -99.0, -9.0, -1.0, 88.0, 99.0, 888.0, 999.0, 8888.0, 9999.0}


@dataclass(frozen=True, kw_only=True)
class Variable:
    """One line of the data dictionary, over the included cases.

    Parameters
    ----------
    known, missing
        Cases with and without a value.
    missing_as
        How missing is written, with counts; not understood values are among them.
    categories
        Cases by category.
    spellings
        By category, how it is written, with counts.
    minimum, median, maximum
        Of a number; None without any.
    predictor
        Whether models may see the variable.
    note
        Why it is no predictor, or by which reason it is one in spite of its name.
    """

    name: str
    column: str
    type: VariableType
    unit: str
    known_at: str
    known: int
    missing: int
    missing_as: Mapping[str, int] = field(default_factory=dict)
    categories: Mapping[str, int] = field(default_factory=dict)
    spellings: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    minimum: float | None = None
    median: float | None = None
    maximum: float | None = None
    predictor: bool = False
    note: str = ""

    @property
    def translations(self) -> tuple[tuple[str, str, int], ...]:
        """Spellings that do not stand for themselves: as written, as read, how often."""
        read = [
            (spelling, category, count)
            for category, spellings in self.spellings.items()
            for spelling, count in spellings.items()
            if spelling != category
        ]
        return (*read, *((text, "missing", n) for text, n in self.missing_as.items() if text))


def describe(
    name: str, rule: ClinicalRule, texts: Sequence[str], values: Sequence[Value]
) -> Variable:
    """Return the dictionary's line of one variable.

    Parameters
    ----------
    texts, values
        Of each included case, in the same order: the cell, and what it was understood as.
    """
    pairs = list(zip(texts, values, strict=True))
    numbers = [value for value in values if isinstance(value, float)]
    named = [(text, value) for text, value in pairs if isinstance(value, str)]
    is_category = rule.type in {"category", "boolean"}
    return Variable(
        name=name,
        column=rule.column,
        type=rule.type,
        unit=rule.unit,
        known_at=rule.known_at,
        known=len(numbers) + len(named),
        missing=len(pairs) - len(numbers) - len(named),
        missing_as=_counted(text for text, value in pairs if value is None),
        categories=_counted(value for _, value in named) if is_category else {},
        spellings=_spellings(named) if is_category else {},
        minimum=min(numbers, default=None),
        median=median(numbers) if numbers else None,
        maximum=max(numbers, default=None),
        predictor=rule.is_predictor,
        note=_note(rule),
    )


def doubts(variable: Variable, rule: ClinicalRule) -> tuple[str, ...]:
    """Return what looks wrong in a variable although each cell was understood."""
    found = [
        f"{extreme:g} looks like a code for missing; list it in `missing` if it is"
        for extreme in sorted({variable.minimum, variable.maximum} & _SENTINELS, key=str)
    ]
    if variable.known == 0:
        found.append("has no value in any case")
    if "unknown" in variable.categories:
        found.append("'unknown' counts as a category; list it in `missing` if it is none")
    if not rule.values:
        found += [
            f"{' and '.join(map(repr, alike))} differ only by case or blanks; map them in `values`"
            for alike in _alike(variable.categories)
        ]
    return tuple(f"clinical.{variable.name}: {doubt}" for doubt in found)


def _alike(categories: Iterable[str]) -> list[list[str]]:
    folded: dict[str, list[str]] = {}
    for category in categories:
        folded.setdefault("".join(category.casefold().split()), []).append(category)
    return [group for group in folded.values() if len(group) > 1]


def _counted(items: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(items).items(), key=lambda pair: (-pair[1], pair[0])))


def _spellings(named: Sequence[tuple[str, str]]) -> dict[str, dict[str, int]]:
    return {
        category: _counted(text for text, value in named if value == category)
        for category in dict.fromkeys(sorted(value for _, value in named))
    }


def _note(rule: ClinicalRule) -> str:
    if rule.is_predictor:
        return f"predictor by override: {rule.override_reason}" if rule.override_reason else ""
    if rule.known_at == "baseline":
        return "a date is no predictor"
    return f"known at {rule.known_at}" if rule.known_at else "does not say known_at"
