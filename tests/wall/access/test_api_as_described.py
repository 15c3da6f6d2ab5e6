"""The API is asked what its own OpenAPI document promises, and much that it does not."""

from __future__ import annotations

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from dashboards.wall.web.openapi import OPERATIONS
from tests.wall.access.conftest import Browser

ENDLESS = "/api/stream"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def noor(closed: Any) -> Browser:
    browser = Browser(closed.url)
    assert browser.sign_in("noor") == 303
    return browser


@pytest.fixture(scope="module")
def document(noor: Browser) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(noor.ask("/api/openapi.json")[2])
    return found


@pytest.fixture(scope="module")
def api(closed: Any, document: dict[str, Any]) -> Any:
    loaded = schemathesis.openapi.from_dict(document)
    loaded.config.update(base_url=closed.url)
    return loaded


@pytest.mark.parametrize(("method", "path"), [one for one in OPERATIONS if one[1] != ENDLESS])
def test_every_answer_is_as_described(api: Any, closed: Any, noor: Browser, method: str, path: str) -> None:
    """Whatever is asked: a status that is listed, in the form that is listed, and never a fault of the server's."""
    headers = {
        "cookie": "; ".join(f"{one.name}={one.value}" for one in noor.jar),
        "origin": closed.url,
        "x-tatpar-csrf": noor.me()["csrf"],
    }

    # A wall on a busy machine may say that it is not well: that 503 is listed, and is no fault of the server's.
    checks = [one for one in CHECKS if path != "/healthz" or one is not not_a_server_error]

    @settings(
        max_examples=5,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=api[path][method].as_strategy())
    def ask(case: Any) -> None:
        case.call_and_validate(checks=checks, headers=headers, timeout=60)

    ask()


def test_the_document_tells_roles_and_bodies(document: dict[str, Any]) -> None:
    """What takes which role is in it, and what a body may hold."""
    taken = document["paths"]["/api/alerts/{id}/acknowledge"]["post"]
    assert taken["description"] == "Takes the role acknowledge."
    body = taken["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    assert set(document["components"]["schemas"][body.rpartition("/")[2]]["properties"]) == {"name", "note"}
