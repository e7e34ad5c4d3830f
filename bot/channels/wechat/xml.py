"""Tencent's XML, read with expat and nothing but plain elements and text allowed, and written.

What only an attack needs is refused before it can do anything: document types and entities (bombs, files, addresses),
processing instructions, encodings other than UTF-8, deep nesting, many elements, the same element twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn
from xml.parsers import expat

from bot.channels.wechat.errors import XmlRefused

BODY_BYTES_MAX = 64 * 1024  # a text has 2,048 bytes at most; an envelope adds a third
DEPTH_MAX = 6
ELEMENTS_MAX = 200
Fields = dict[str, Any]  # name to text, or to the fields inside


def parse_xml(body: bytes) -> Fields:
    """The fields of `<xml>...</xml>`. Repeated elements (`item`) become a list. Raises XmlRefused."""
    if not body or len(body) > BODY_BYTES_MAX:
        raise XmlRefused("empty or too large")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise XmlRefused("not UTF-8") from None
    reader = _Reader()
    try:
        reader.read(text)
    except expat.ExpatError as error:
        raise XmlRefused(f"not well-formed: {expat.ErrorString(error.code)}") from None
    except ValueError:
        raise XmlRefused("not readable") from None
    if reader.name != "xml" or not isinstance(reader.found, dict):
        raise XmlRefused("no fields")
    return reader.found


class _Reader:
    """Builds the fields while expat reads."""

    def __init__(self) -> None:
        self.name = ""
        self.found: Any = None
        self._stack: list[tuple[str, Fields, list[str]]] = []
        self._elements = 0

    def read(self, text: str) -> None:
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.XmlDeclHandler = self._declared
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.UnparsedEntityDeclHandler = self._refuse
        parser.ExternalEntityRefHandler = self._refuse
        parser.ProcessingInstructionHandler = self._refuse
        parser.Parse(text.encode("utf-8"), True)

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._elements += 1
        if len(self._stack) >= DEPTH_MAX or self._elements > ELEMENTS_MAX:
            raise XmlRefused("too deep or too many elements")
        if attributes:
            raise XmlRefused("attributes")
        self._stack.append((name, {}, []))

    def _end(self, _name: str) -> None:
        name, fields, texts = self._stack.pop()
        value: Any = fields or "".join(texts)
        if not self._stack:
            self.name, self.found = name, value
            return
        parent = self._stack[-1][1]
        if name not in parent:
            parent[name] = value
        elif len(self._stack) == 1:
            raise XmlRefused(f"{name[:32]} twice")
        else:
            kept = parent[name]
            parent[name] = [*kept, value] if isinstance(kept, list) else [kept, value]

    def _text(self, text: str) -> None:
        if self._stack:
            self._stack[-1][2].append(text)

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in ("utf-8", "utf8"):
            raise XmlRefused("another encoding")

    def _refuse(self, *_anything: object) -> NoReturn:
        raise XmlRefused("document type, entity or instruction")


def write_xml(fields: Mapping[str, Any]) -> str:
    """`<xml>` with these fields: whole numbers bare, text as CDATA, mappings nested, lists as `item`s."""
    return f"<xml>{_written(fields)}</xml>"


def _written(value: Any) -> str:
    if isinstance(value, Mapping):
        return "".join(f"<{name}>{_written(inner)}</{name}>" for name, inner in value.items())
    if isinstance(value, list):
        return "".join(f"<item>{_written(inner)}</item>" for inner in value)
    if isinstance(value, int):
        return str(value)
    text = "".join(char for char in value if char in "\t\n\r" or char >= " ")
    text = text.replace("\ufffe", "").replace("\uffff", "")
    return "<![CDATA[" + text.replace("]]>", "]]]]><![CDATA[>") + "]]>"
