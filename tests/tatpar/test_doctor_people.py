"""The doctor on ways out: an address is none, somebody must take the message."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from config.load import load_config
from tatpar.examination.people import people

if TYPE_CHECKING:
    from pathlib import Path

    from tatpar.examination.finding import Finding

MAIL_SERVER = '[alerts]\nsmtp_host = "mail.hq.example"\n'
SMS = '[alerts.channels]\nsms = "json://127.0.0.1/{phone}"\n'
ALERTMANAGER = '[alerts.delivery]\nalertmanager_url = "http://127.0.0.1:9093"\n'


def found(folder: Path, ways_out: str, channels: str) -> Finding:
    """Of two offices that one desk is told of."""
    (folder / "tatpar.toml").write_text(ways_out, encoding="utf-8")
    sites = (
        "id,name_en,name_hi,region,lat,lon,status\nagra,A,आ,braj,27,78,linked\netah,E,ए,braj,27,78,linked\n"
    )
    (folder / "sites.csv").write_text(sites, encoding="utf-8")
    desk = (
        f"id,name,role,about,email,phone,channels\nnoc,N,noc,all,noc@office.example,+915550101,{channels}\n"
    )
    (folder / "people.csv").write_text(desk, encoding="utf-8")
    return people(load_config(folder / "tatpar.toml"))


@pytest.mark.parametrize(
    ("ways_out", "channels"),
    [("", "mail"), (SMS, "mail"), (SMS, "mail sms")],  # the last: mail is the way that is taken, and waits
)
def test_offices_about_which_no_message_can_leave(tmp_path: Path, ways_out: str, channels: str) -> None:
    """Both are named, and what to write, in both languages."""
    told = {language: found(tmp_path, ways_out, channels).told(language) for language in ("en", "hi")}
    for one in told.values():
        assert one.level == "less"
        assert "agra, etah" in one.text
        assert "alerts.smtp_host" in one.text
        assert "tatpar alerts test" in one.remedy
    assert "no message can leave" in told["en"].text
    assert "मेल सर्वर" in told["hi"].text


@pytest.mark.parametrize(
    ("ways_out", "channels"), [(MAIL_SERVER, "mail"), (SMS, "sms"), (SMS, "sms mail"), (ALERTMANAGER, "mail")]
)
def test_a_way_out_that_is_configured_is_fine(tmp_path: Path, ways_out: str, channels: str) -> None:
    assert found(tmp_path, ways_out, channels).level == "fine"
