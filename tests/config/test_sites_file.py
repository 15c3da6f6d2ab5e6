"""The site registry read from CSV."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.load import DEFAULT_SITES
from config.names import is_id, suggested_id
from config.settings import Settings
from config.sites import Site, SiteStatus
from config.sites_file import read_sites
from config.tree import children, cycle, subtree

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Write

REGIONS = [region.id for region in Settings().regions]
HEADING = "id,name_en,name_hi,region,lat,lon,status"
AGRA = "agra,Agra,आगरा,braj,27.177,78.008,linked"


def test_default_registry_has_92_offices_of_which_56_are_linked() -> None:
    """The built-in registry is the reference deployment: 92 offices, 56 linked, in six regions, each with a provider."""
    registry = read_sites(DEFAULT_SITES, REGIONS)
    assert len(registry.sites) == 92
    assert len(list(registry.linked())) == 56
    assert {site.region for site in registry.sites} == set(REGIONS)
    assert {site.provider for site in registry.linked()} == {
        "provider-a",
        "provider-b",
        "provider-c",
        "provider-d",
    }
    assert all(site.language == "hi" for site in registry.sites)
    assert registry.by_id["agra"].contact_email == "agra@office.example"
    assert list(registry.by_id) == [site.id for site in registry.sites]


def test_optional_columns_have_their_units_converted(write: Write) -> None:
    """Rates stand in Mbit/s in the file and in bit/s in the type; a cell that is empty is absent."""
    path = write(
        "sites.csv",
        f"{HEADING},link_up_mbps,link_down_mbps,language,level,contact_phone,line_number\n{AGRA},2.5,,en,mandal,+91 562 1234567,LL-0012345\n",
    )
    site = read_sites(path, REGIONS).by_id["agra"]
    assert site == Site(
        id="agra",
        name_en="Agra",
        name_hi="आगरा",
        region="braj",
        lat=27.177,
        lon=78.008,
        status=SiteStatus.LINKED,
        level="mandal",
        language="en",
        contact_phone="+91 562 1234567",
        line_number="LL-0012345",
        link_up_bps=2.5e6,
    )
    assert site.link_down_bps is None
    assert (site.name("hi"), site.name("en")) == ("आगरा", "Agra")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("byte order mark", f"\ufeff{HEADING}\n{AGRA}\n"),
        ("carriage returns", f"{HEADING}\r\n{AGRA}\r\n"),
        ("no line end at the end", f"{HEADING}\n{AGRA}"),
        ("blank lines and cells with blanks", f"{HEADING}\n\n{AGRA.replace(',', ' , ')}\n\n,,,,,,\n"),
        (
            "columns in another order",
            "status,lon,lat,region,name_hi,name_en,id\nlinked,78.008,27.177,braj,आगरा,Agra,agra\n",
        ),
        ("quoted cells", f"{HEADING}\n" + ",".join(f'"{cell}"' for cell in AGRA.split(",")) + "\n"),
    ],
)
def test_what_table_programs_write_is_read_alike(name: str, text: str, write: Write) -> None:
    """Byte order mark, line ends, blanks, quotes and the order of columns do not matter."""
    site = read_sites(write("sites.csv", text), REGIONS).by_id["agra"]
    assert (site.name_en, site.name_hi, site.lat, site.lon) == ("Agra", "आगरा", 27.177, 78.008), name


def test_hundred_thousand_sites_load_in_seconds(tmp_path: Path) -> None:
    """A tree of 100,000 sites is read within a few seconds of processor time (1.2 s where it was measured)."""
    rows = [f"{HEADING},parent,level,provider,contact_email"]
    for number in range(100_000):
        parent = f"s{(number - 1) // 10}" if number else ""
        region = REGIONS[number % 6]
        rows.append(
            f"s{number},Site {number},कार्यालय {number},{region},26.5,80.5,linked,{parent},booth,p,s{number}@office.example"
        )
    path = tmp_path / "sites.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    began = time.process_time()
    registry = read_sites(path, REGIONS)
    assert time.process_time() - began < 10
    assert len(registry.sites) == 100_000
    assert len(subtree(children(registry.sites), "s1")) == 11_111


@given(st.integers(1, 40).flatmap(lambda n: st.lists(st.integers(-1, n - 1), min_size=n, max_size=n)))
def test_ring_of_parents_is_found_exactly_when_there_is_one(parents: list[int]) -> None:
    """A ring is told when, and only when, following the parents from some site never ends."""
    sites = {
        f"s{number}": Site(
            id=f"s{number}",
            name_en="",
            name_hi="",
            region="",
            lat=0,
            lon=0,
            status=SiteStatus.LINKED,
            parent="" if parent < 0 else f"s{parent}",
        )
        for number, parent in enumerate(parents)
    }

    def endless(start: str) -> bool:
        at = start
        for _ in range(len(sites) + 1):
            if not at:
                return False
            at = sites[at].parent
        return True

    ring = cycle(sites)
    assert bool(ring) == any(endless(site) for site in sites)
    if ring:
        assert [sites[site].parent for site in ring] == [*ring[1:], ring[0]]


@given(st.text(max_size=80))
def test_suggested_id_is_an_id(text: str) -> None:
    """Whatever stands in an id's place, the suggestion can stand there instead."""
    assert is_id(suggested_id(text))
    if is_id(text):
        assert suggested_id(text) == text.strip("-")


CELLS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=20)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(name=CELLS.filter(lambda text: text.strip() != ""), lat=st.floats(-90, 90), lon=st.floats(-180, 180))
def test_any_name_and_place_survives_the_file(name: str, lat: float, lon: float, write: Write) -> None:
    """Names with commas, quotes and any script, and coordinates, are read as they were written."""
    quoted = '"' + name.replace('"', '""') + '"'
    lat, lon = round(lat, 6), round(lon, 6)
    path = write("sites.csv", f"{HEADING}\nagra,{quoted},आगरा,braj,{lat:f},{lon:f},planned\n")
    site = read_sites(path, REGIONS).by_id["agra"]
    assert (site.name_en, site.lat, site.lon) == (name.strip(), lat, lon)
