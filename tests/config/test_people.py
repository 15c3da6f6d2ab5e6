"""People: whom they are about, how they are reached, and that offices' contacts are among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from msgspec import inspect

from config.alert_settings import Alerts, Rung
from config.live import LiveConfig, ReloadOutcome
from config.load import load_config
from config.people import Role

if TYPE_CHECKING:
    from conftest import Write

HEAD = "id,name,role,about,language,email,phone,channels,quiet,per_hour,meetings\n"


def test_a_person_is_read_with_every_cell(write: Write) -> None:
    """Offices in the order of the registry, the number as it is dialled, channels in order of preference, quiet minutes."""
    write(
        "people.csv",
        HEAD + "asha,A Sharma,regional,region:braj site:agra,en,asha@office.example,+91 555-0100,sms mail,"
        "21:30-07:00 13:00-14:00,4,\n",
    )
    config = load_config(write("tatpar.toml", '[alerts.channels]\nsms = "json://sms.example/{phone}"\n'))
    asha = config.people[0]
    braj = tuple(site.id for site in config.registry.sites if site.region == "braj")
    assert (asha.role, asha.sites, asha.language, asha.phone) == (Role.REGIONAL, braj, "en", "+915550100")
    assert (asha.channels, asha.quiet, asha.per_hour) == (("sms", "mail"), ((1290, 420), (780, 840)), 4)


def test_what_a_person_does_not_say_comes_from_the_settings(write: Write) -> None:
    """Empty cells: the defaults of [alerts]; `none` for no quiet hours at all."""
    write("people.csv", HEAD + "a,A,noc,all,,,,,,,\nb,B,noc,all,,,,,none,,\n")
    config = load_config(
        write("tatpar.toml", '[alerts]\ndefault_quiet = ["23:00-05:00"]\ndefault_per_hour = 3\n')
    )
    first, second = config.people[:2]
    assert (first.quiet, first.per_hour, first.channels, first.language) == (
        ((1380, 300),),
        3,
        ("mail",),
        "hi",
    )
    assert second.quiet == ()


def test_an_offices_contact_is_its_in_charge(write: Write) -> None:
    """Who stands in the sites needs no line in people.csv; an office without any address has nobody."""
    write(
        "sites.csv",
        "id,name_en,name_hi,region,lat,lon,status,language,contact_name,contact_email,contact_phone\n"
        "agra,Agra,आगरा,braj,27.18,78.01,linked,en,A Sharma,agra@office.example,+91 555 0100\n"
        "etah,Etah,एटा,braj,27.56,78.66,linked,hi,Nobody,,\n",
    )
    (person,) = load_config(write("tatpar.toml", "")).people
    assert (person.id, person.role, person.sites, person.language) == (
        "site:agra",
        Role.IN_CHARGE,
        ("agra",),
        "en",
    )
    assert (person.recipient("mail"), person.recipient("sms")) == ("agra@office.example", "+915550100")


def test_a_running_process_takes_people_up(write: Write) -> None:
    """A table that appears is taken up; one that vanishes again is a mistake, and the old people stay."""
    live = LiveConfig(write("tatpar.toml", ""))
    contacts = len(live.current.people)
    table = write("people.csv", HEAD + "noc-desk,NOC,noc,all,en,noc@office.example,,,,,\n")
    assert live.refresh().outcome is ReloadOutcome.CHANGED
    assert len(live.current.people) == contacts + 1
    table.unlink()
    assert live.refresh().outcome is ReloadOutcome.REFUSED
    assert len(live.current.people) == contacts + 1


@pytest.mark.parametrize("kind", [Alerts, Rung])
def test_every_number_of_the_ladder_has_two_ends(kind: type) -> None:
    """No number of the alerts is open to either side, on the rungs neither."""
    checked = 0
    for field in msgspec.structs.fields(kind):
        found = inspect.type_info(field.type)
        if isinstance(found, inspect.VarTupleType):
            found = found.item_type
        if isinstance(found, inspect.IntType | inspect.FloatType):
            assert found.ge is not None, field.name
            assert found.le is not None, field.name
            checked += 1
    assert checked >= 5
