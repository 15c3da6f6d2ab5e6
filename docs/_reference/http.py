"""The page of the wall's HTTP API, from its OpenAPI document."""

from __future__ import annotations

import json
from typing import Any, Final

from dashboards.wall.addresses import addresses
from dashboards.wall.web.openapi import document
from docs._reference.markdown import code, page, table

_INTRO: Final = """
A running wall says the same as a document for programs at `/api/openapi.json` (OpenAPI 3.1). Who may ask, and how a program signs in:
[wall-access](../wall-access.md). What changes something is sent as JSON, with the header `x-tatpar-csrf` from `/api/me` and an `Origin` of the wall's own.
An error is `{"error": "what is wrong, and what to do instead"}`.
"""


class _Anything:
    """Stands for the wall's parts: the document asks for addresses only."""

    def __getattr__(self, name: str) -> object:
        return lambda *_, **__: None


def openapi() -> dict[str, Any]:
    """The document, without a wall."""
    parts: Any = _Anything()
    return document(addresses(parts, parts, parts, parts, parts))


def http_page() -> str:
    """Addresses, then the answers' types."""
    told = openapi()
    parts = [_INTRO, "## Addresses"]
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            parts.append(_operation(method.upper(), path, operation))
    parts.append("## Types")
    parts += [_type(name, schema) for name, schema in sorted(told["components"]["schemas"].items())]
    return page("HTTP API of the wall", "dashboards/wall/web/openapi.py", *parts)


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    parts = [
        f"### {method} {path}",
        " ".join([operation["summary"], operation.get("description", "")]).strip(),
    ]
    rows = [
        [
            code(one["name"]),
            one["in"],
            _schema(one["schema"]),
            "yes" if one["required"] else "no",
            one["description"],
        ]
        for one in operation["parameters"]
    ]
    if rows:
        parts.append(table(["parameter", "in", "takes", "must be there", "means"], rows))
    if "requestBody" in operation:
        (body,) = operation["requestBody"]["content"].values()
        parts.append(f"Takes {_schema(body['schema'])}.")
    good = [(status, one) for status, one in operation["responses"].items() if status < "300"]
    answers = [
        f"{status}: "
        + (" or ".join(_schema(c["schema"]) if c else code(m) for m, c in one["content"].items()))
        for status, one in good
    ]
    others = ", ".join(status for status in operation["responses"] if status >= "300")
    parts.append(f"Answers {'; '.join(answers)}. Refusals: {others}.")
    return "\n\n".join(parts)


def _type(name: str, schema: dict[str, Any]) -> str:
    says = " ".join(str(schema.get("description", "")).split())
    parts = [f"### {name}", says]
    must = set(schema.get("required", ()))
    rows = [
        [code(key), _schema(inner), "yes" if key in must else "no", str(inner.get("description", ""))]
        for key, inner in schema.get("properties", {}).items()
    ]
    if rows:
        parts.append(table(["field", "is", "always there", "means"], rows))
    elif "enum" in schema:
        parts.append("One of " + ", ".join(code(json.dumps(one)) for one in schema["enum"]) + ".")
    return "\n\n".join(part for part in parts if part)


def _schema(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_schema(one) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(code(json.dumps(one, ensure_ascii=False)) for one in schema["enum"])
    kind = str(schema.get("type", "anything"))
    if kind == "array":
        return f"list of {_schema(schema['items'])}" if isinstance(schema.get("items"), dict) else "list"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"table of {_schema(schema['additionalProperties'])}"
    bounds = [f"{schema[key]:,}" for key in ("minimum", "maximum") if key in schema]
    return (
        kind
        + (f", {' to '.join(bounds)}" if len(bounds) == 2 else "")
        + (f", `{schema['pattern']}`" if "pattern" in schema else "")
    )
