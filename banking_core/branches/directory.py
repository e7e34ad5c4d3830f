"""Reads the YAML directory of branches into rows, checking every field, so that a slip shows at loading."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import yaml

from banking_core.branches.errors import BranchDirectoryInvalid
from banking_core.yaml_loader import LOADER

DEFAULT_DIRECTORY = Path(__file__).with_name("directory.yml")
KINDS = frozenset({"branch", "atm"})
HOURS = re.compile(r"24h|closed|([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d")
TEXT_FIELDS = ("code", "name", "district", "address")


def read_directory(path: Path = DEFAULT_DIRECTORY) -> list[dict[str, Any]]:
    """The rows of the file, ready for the branches table; raises BranchDirectoryInvalid."""
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), LOADER)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BranchDirectoryInvalid(f"{path.name} cannot be read: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("cities"), dict):
        raise BranchDirectoryInvalid(f"{path.name} has no mapping 'cities'", field="cities")
    sets = document.get("sets") or {}
    rows = [
        _row(str(city), entry, sets)
        for city, entries in document["cities"].items()
        for entry in entries or ()
    ]
    codes = [row["code"] for row in rows]
    for code in {code for code in codes if codes.count(code) > 1}:
        raise BranchDirectoryInvalid(f"branch code {code} is given twice", field="code")
    return rows


def _row(city: str, entry: object, sets: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise BranchDirectoryInvalid(f"an entry of {city} is not a mapping", field="cities")
    code = entry.get("code")
    base = sets.get(entry["set"], {}) if "set" in entry else {}
    if "set" in entry and not base:
        raise BranchDirectoryInvalid(f"{code}: unknown set {entry['set']!r}", field="set")
    row = {**base, **entry, "city": city}
    row.pop("set", None)
    row["latitude"], row["longitude"] = _place(code, row.pop("at", None))
    for field in TEXT_FIELDS:
        if not isinstance(row.get(field), str) or not row[field].strip():
            raise BranchDirectoryInvalid(f"{code}: {field} is missing", field=field)
    if row.get("kind") not in KINDS:
        raise BranchDirectoryInvalid(f"{code}: kind is not branch or atm", field="kind")
    for field in ("weekday_hours", "weekend_hours"):
        if not HOURS.fullmatch(str(row.get(field))):
            raise BranchDirectoryInvalid(f"{code}: {field} is not HH:MM-HH:MM, 24h or closed", field=field)
    for field in ("services", "landmarks"):
        values = row.get(field)
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise BranchDirectoryInvalid(f"{code}: {field} is not a list of words", field=field)
    return cast(dict[str, Any], row)


def _place(code: object, at: object) -> tuple[float | None, float | None]:
    """Latitude and longitude in degrees, or nothing."""
    match at:
        case None:
            return None, None
        case [float(latitude), float(longitude)] if abs(latitude) <= 90 and abs(longitude) <= 180:
            return latitude, longitude
    raise BranchDirectoryInvalid(f"{code}: at is not [latitude, longitude]", field="at")
