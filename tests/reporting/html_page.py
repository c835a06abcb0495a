"""Reading a report back without a browser."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Self

_VOID = {"meta", "br", "hr", "img", "input", "link", "wbr"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    children: "list[Element | str]" = field(default_factory=list)

    @property
    def text(self) -> str:
        parts = (c if isinstance(c, str) else c.text for c in self.children)
        return " ".join("".join(parts).split())

    def all(self, tag: str) -> "list[Element]":
        found = []
        for child in self.children:
            if isinstance(child, Element):
                found += [child] if child.tag == tag else []
                found += child.all(tag)
        return found

    def everything(self) -> "list[Element]":
        below = [c for c in self.children if isinstance(c, Element)]
        return [self, *(element for child in below for element in child.everything())]

    def by_id(self, name: str) -> "Element":
        (found,) = [e for e in self.everything() if e.attributes.get("id") == name]
        return found

    def without(self, tag: str) -> str:
        """Text outside elements of a tag."""
        return " ".join(
            c if isinstance(c, str) else "" if c.tag == tag else c.without(tag)
            for c in self.children
        )

    @property
    def numbers(self) -> list[float]:
        return [float(data.attributes["value"] or "nan") for data in self.all("data")]


class _Reader(HTMLParser):
    """Fails on an element that is not closed, or closed twice."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("document", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"{tag} has an attribute twice: {attrs}"
        element = Element(tag, dict(attrs))
        self.open[-1].children.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        closed = self.open.pop()
        assert closed.tag == tag, f"{closed.tag} is closed by {tag} in line {self.getpos()[0]}"

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


class Page(Element):
    @classmethod
    def of(cls, document: str) -> Self:
        reader = _Reader()
        reader.feed(document)
        reader.close()
        assert reader.open == [reader.root], f"never closed: {[e.tag for e in reader.open[1:]]}"
        return cls("document", {}, reader.root.children)
