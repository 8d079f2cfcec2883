"""Fields of layers and losses that were added after the first version of the file format."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import fields
from typing import Any

LATER = {"later": True}
"""Metadata of a field that was added later. Files hold it only if it was set, so older files can still be read."""


def fields_to_save(described: Any) -> dict[str, Any]:
    """The fields of a frozen dataclass by name, for a file."""
    saved = {}
    for each in fields(described):
        value = getattr(described, each.name)
        if not each.metadata.get("later") or value != each.default:
            saved[each.name] = value
    return saved


def expected_fields(kind: Any, given: Container[str]) -> list[str]:
    """The names that a file must have: the fields of the first version, and the later ones that are given."""
    return [each.name for each in fields(kind) if each.name in given or not each.metadata.get("later")]
