"""Who is invited: offices, regions, offices with all below them, everyone, and contacts by mail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Meet, Write

    Asked = Callable[..., tuple[tuple[str, ...], tuple[str, ...]]]

SITES = """\
id,name_en,name_hi,region,lat,lon,status,parent,level,contact_email
agra,Agra,आगरा,braj,27.1,78.0,linked,,district,in-charge@braj.example
etah,Etah,एटा,braj,27.5,78.6,planned,,district,in-charge@braj.example
etah-north,Etah North,एटा उत्तर,braj,27.6,78.6,linked,etah,mandal,
booth-7,Booth 7,बूथ 7,braj,27.6,78.7,linked,etah-north,booth,
kashi-1,Kashi One,काशी एक,kashi,25.3,82.9,linked,,district,
"""


@pytest.fixture
def invited(meet: Meet, write: Write) -> Asked:
    write("sites.csv", SITES)

    def asked(*attendees: str, more: str = "") -> tuple[tuple[str, ...], tuple[str, ...]]:
        lines = "".join(f"ATTENDEE{attendee}\n" for attendee in attendees)
        config = meet(f"UID:x\nSUMMARY:x\nDTSTART:20261124T110000\nDURATION:PT1H\n{lines}{more}")
        return config.calendar.meetings[0].invited, config.calendar.remarks

    return asked


@pytest.mark.parametrize(
    ("attendees", "expected"),
    [
        ([":all"], ["agra", "etah", "etah-north", "booth-7", "kashi-1"]),
        ([":urn:tatpar:all"], ["agra", "etah", "etah-north", "booth-7", "kashi-1"]),
        ([":site:agra"], ["agra"]),
        ([";CN=Agra:urn:tatpar:site:agra"], ["agra"]),
        ([":region:kashi", ":site:agra"], ["agra", "kashi-1"]),
        ([":site:kashi-1", ":region:kashi"], ["kashi-1"]),
        ([":tree:etah"], ["etah", "etah-north", "booth-7"]),
        ([":urn:tatpar:tree:etah-north"], ["etah-north", "booth-7"]),
        ([":tree:booth-7"], ["booth-7"]),
        ([";ROLE=REQ-PARTICIPANT:mailto:In-Charge@braj.example"], ["agra", "etah"]),
    ],
)
def test_attendees_mean_these_offices(attendees: list[str], expected: list[str], invited: Asked) -> None:
    """Each form means its offices, each of them once, in the order of the registry."""
    found, remarks = invited(*attendees)
    assert list(found) == expected
    assert remarks == ()


def test_end_that_is_an_office_is_not_invited_to_itself(invited: Asked) -> None:
    """A district that calls its own lower units is the end of the call, and not one of the invited."""
    found, _ = invited(":tree:etah", more="X-TATPAR-END:etah\n")
    assert found == ("etah-north", "booth-7")


def test_person_who_is_no_office_is_remarked(invited: Asked) -> None:
    """A mail address that is no office's contact is taken as a person, and told, lest it be a slip."""
    found, remarks = invited(":site:agra", ":mailto:guest@elsewhere.example")
    assert found == ("agra",)
    assert len(remarks) == 1
    assert "own.ics:9: mailto:guest@elsewhere.example is no office's contact" in remarks[0]
