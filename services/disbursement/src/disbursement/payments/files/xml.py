"""Reading XML of strangers: no entities, no network, no DTD, no endless trees."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from lxml import etree

from disbursement.payments.files.rows import MAX_RESULT_BYTES, FileRefused


def read(content: bytes, *, limit: int = MAX_RESULT_BYTES) -> etree._Element:
    """The root element. Raises FileRefused: `berkas_terlalu_besar`, `berkas_rusak`, `berkas_berbahaya` (a DTD)."""
    if len(content) > limit:
        raise FileRefused("berkas_terlalu_besar", n=limit // 1_048_576)
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise FileRefused("berkas_berbahaya")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as fault:
        raise FileRefused("berkas_rusak") from fault
    if root.getroottree().docinfo.doctype:  # type: ignore[union-attr]
        raise FileRefused("berkas_berbahaya")
    return root


def message(root: etree._Element) -> str:
    """The message name of the namespace (`camt.054.001.08`), empty when there is none."""
    namespace = etree.QName(root).namespace or ""
    return namespace.rpartition(":")[2]


def text(element: etree._Element | None, path: str) -> str | None:
    """The trimmed text at a path of local names (`Refs/EndToEndId`), whatever the namespace; None when absent or empty."""
    found = child(element, path)
    value = (found.text or "").strip() if found is not None else ""
    return value or None


def child(element: etree._Element | None, path: str) -> etree._Element | None:
    """The first element at a path of local names."""
    return None if element is None else element.find(_any_namespace(path))


def children(element: etree._Element, path: str) -> Iterator[etree._Element]:
    """All elements at a path of local names."""
    return element.iterfind(_any_namespace(path))


@cache
def _any_namespace(path: str) -> str:
    """The path for lxml. Paths are literals of this package, so there are few."""
    return "/".join(f"{{*}}{name}" for name in path.split("/"))


def validate(root: etree._Element, xsd: bytes) -> None:
    """Check against an official schema. Raises FileRefused `berkas_tidak_sesuai_skema` with the line, never with values."""
    schema = etree.XMLSchema(etree.fromstring(xsd, etree.XMLParser(resolve_entities=False, no_network=True)))
    if not schema.validate(root):
        first: Any = schema.error_log.last_error  # type: ignore[attr-defined]
        raise FileRefused("berkas_tidak_sesuai_skema", line=first.line, error=first.type_name)
