"""Topics: built and read in one place; a hostile name is none of ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.topics import Address, Leaf, parse, shared_subscription, subscription, topic

names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True)


@given(st.sampled_from(["tatpar/1", "a", "deep/er/root"]), names, names, st.sampled_from(list(Leaf)))
def test_what_is_built_is_read_back(root, site, probe, leaf) -> None:
    """For every root, name and leaf."""
    assert parse(root, topic(root, site, probe, leaf)) == Address(site, probe, leaf)


@given(st.text(max_size=80))
def test_no_text_makes_parsing_fail(text) -> None:
    """Anything may be published by anyone: the answer is an address or None."""
    found = parse("tatpar/1", "tatpar/1/" + text)
    assert found is None or topic("tatpar/1", *found) == "tatpar/1/" + text


@pytest.mark.parametrize(
    "name",
    [
        "",
        "tatpar/1",
        "tatpar/1/",
        "tatpar/1/agra/p1",
        "tatpar/1/agra/p1/report/more",
        "tatpar/1/agra/p1/report/",
        "/tatpar/1/agra/p1/report",
        "tatpar/11/agra/p1/report",
        "tatpar/1/Agra/p1/report",
        "tatpar/1/-agra/p1/report",
        "tatpar/1/agra-/p1/report",
        "tatpar/1//p1/report",
        "tatpar/1/agra//report",
        "tatpar/1/+/p1/report",
        "tatpar/1/#/p1/report",
        "tatpar/1/agra/p1/#",
        "tatpar/1/agra/p1/secrets",
        "tatpar/1/agra/p1/REPORT",
        "tatpar/1/agra\n/p1/report",
        "tatpar/1/agra/p1/report\n",
        "tatpar/1/../p1/report",
        "tatpar/1/आगरा/p1/report",
        "tatpar/1/agra/p1\x00/report",
        "tatpar/1/" + "a" * 64 + "/p1/report",
        "$SYS/broker/uptime",
    ],
)
def test_a_strange_topic_is_none_of_ours(name) -> None:
    """Neither wildcards nor other alphabets nor other depths."""
    assert parse("tatpar/1", name) is None


def test_a_root_with_signs_of_patterns_is_taken_literally() -> None:
    """A dot in the root is a dot."""
    assert parse("a.c", "abc/agra/p1/report") is None
    assert parse("a.c", "a.c/agra/p1/report") == Address("agra", "p1", Leaf.REPORT)


def test_subscriptions_name_one_leaf_of_every_probe() -> None:
    """Plain, and shared between collectors."""
    assert subscription("tatpar/1", Leaf.REPORT) == "tatpar/1/+/+/report"
    assert shared_subscription("tatpar/1", Leaf.BACKLOG) == "$share/collectors/tatpar/1/+/+/backlog"
