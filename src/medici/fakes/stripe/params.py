"""Reading parameters with brackets in their names, as the vendor's clients write them."""

import re
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

Record: TypeAlias = dict[str, Any]
PARTS = re.compile(r"\[([^\]]*)\]")


def decoded(text: str) -> Record:
    """Nest what is named ``a[b][0]``; whoever counts with numbers or empty brackets gets a list."""
    root: Record = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        head, *_ = name.split("[", 1)
        _put(root, [head, *PARTS.findall(name)], value)
    return {key: _listed(value) for key, value in root.items()}


def _put(into: Record, path: list[str], value: str) -> None:
    key, *rest = path
    key = key or str(len(into))
    if rest:
        _put(into.setdefault(key, {}), rest, value)
    else:
        into[key] = value


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _listed(each) for key, each in value.items()}
    return list(inner.values()) if inner and all(key.isdigit() for key in inner) else inner
