"""The public conformance vectors, row by row."""

from __future__ import annotations

import json
import math
from typing import Any

from topics import NOT_BUILT_YET, TOPICS


def differences(expected: object, found: object, tolerance: float, where: str = "$") -> list[str]:
    """Where `found` is not what is expected; keys that only `found` has do not count."""
    if isinstance(expected, dict):
        if not isinstance(found, dict):
            return [f"{where}: {found!r} is no object"]
        return [
            line
            for key, value in expected.items()
            for line in (
                differences(value, found[key], tolerance, f"{where}.{key}")
                if key in found
                else [f"{where}.{key}: absent"]
            )
        ]
    if isinstance(expected, list):
        if not isinstance(found, list) or len(found) != len(expected):
            return [f"{where}: {found!r} is not {expected!r}"]
        return [
            line
            for i, (a, b) in enumerate(zip(expected, found, strict=True))
            for line in differences(a, b, tolerance, f"{where}[{i}]")
        ]
    if isinstance(expected, (int, float)) and not isinstance(expected, bool):
        numeric = isinstance(found, (int, float)) and not math.isnan(found)
        close = numeric and abs(found - expected) <= tolerance
        return [] if close else [f"{where}: {found!r} is not {expected!r} within {tolerance}"]
    return [] if found == expected else [f"{where}: {found!r} is not {expected!r}"]


def absent_as_null(found: Any) -> Any:
    """An answer as JSON would have it: there is no NaN, so what has no value is null."""
    if isinstance(found, dict):
        return {key: absent_as_null(value) for key, value in found.items()}
    if isinstance(found, list):
        return [absent_as_null(value) for value in found]
    return None if isinstance(found, float) and math.isnan(found) else found


def answer(topic: str, given: dict[str, Any]) -> Any:
    """What the house's function for a topic says."""
    return absent_as_null(TOPICS[topic](given))


def test_vector(vector: dict[str, str]) -> None:
    """A function gives what the vector says, within its tolerance."""
    found = answer(vector["topic"], json.loads(vector["input_json"]))
    expected = absent_as_null(json.loads(vector["expected_json"]))
    wrong = differences(expected, found, float(vector["abs_tol"]))
    assert not wrong, f"{vector['id']} ({vector['status']}, {vector['source']}): " + "; ".join(wrong[:5])


def test_every_topic_is_answered_or_owned(all_vectors: list[dict[str, str]]) -> None:
    """A topic has a function, or a room that will build it; never both and never neither."""
    topics = {row["topic"] for row in all_vectors}
    assert topics <= TOPICS.keys() | NOT_BUILT_YET.keys()
    assert not TOPICS.keys() & NOT_BUILT_YET.keys()


def test_a_wrong_answer_is_seen() -> None:
    """The comparison itself notices a number out of tolerance, an absent key and a short list."""
    assert differences({"a": 1.0}, {"a": 1.2}, 0.1)
    assert differences({"a": 1}, {}, 0)
    assert differences([1, 2], [1], 0)
    assert differences({"a": None}, {"a": 0}, 1)
    assert not differences({"a": [1.0, None]}, {"a": [1.05, None], "more": 1}, 0.1)
