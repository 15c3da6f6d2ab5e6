"""What the types of the settings cannot say: names that exist, addresses, values that fit together."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from config.address import is_host, is_loopback, is_wildcard, parse_address
from config.alert_checks import check_alerts
from config.delivery_checks import check_delivery
from config.digest_checks import check_digest
from config.names import ID_RULE, is_id, suggested_id
from config.reach import CHECK_RULE, MOST_CHECKS, parse_check
from config.site_columns import is_mail_address
from config.store_checks import check_store
from config.wall_checks import check_wall
from config.zones import similar_zone, zone_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.regions import Region
    from config.settings import Broker, Headquarters, Settings
    from config.toml_lines import KeyPath
    from config.wrong import Wrong


def check_settings(settings: Settings, wrong: Wrong) -> None:
    """Raise the first thing that is wrong."""
    _check_timezone(settings.deployment.timezone, wrong)
    _check_day(settings.deployment.all_linked_by, wrong)
    _check_ids("headquarters", settings.headquarters, wrong)
    _check_ids("regions", settings.regions, wrong)
    for index, end in enumerate(settings.headquarters):
        _check_reflectors(index, end, wrong)
    _check_broker(settings, wrong)
    check_store(settings.store, wrong)
    check_wall(settings.wall, wrong)
    check_digest(settings.digest, wrong)
    _check_metrics(settings, wrong)
    _check_rates(settings, wrong)
    _check_rehearsal(settings, wrong)
    _check_reach(settings, wrong)
    check_alerts(settings.alerts, wrong)
    check_delivery(settings.alerts, wrong)
    _check_report_mail(settings, wrong)


def _check_timezone(name: str, wrong: Wrong) -> None:
    if name not in zone_names():
        remedy = f'write a name such as "{similar_zone(name)}"'
        raise wrong(("deployment", "timezone"), f'there is no time zone "{name}"', remedy)


def _check_rehearsal(settings: Settings, wrong: Wrong) -> None:
    """A rehearsal that begins within the margin of its own meeting would be refused each time."""
    lead, margin = settings.rehearsal.plan_min, settings.rehearsal.margin_min
    if 0 < lead <= margin:
        problem = f"rehearsal.plan_min is {lead:g}: nobody rehearses in the last {margin:g} min before a meeting (margin_min)"
        raise wrong(("rehearsal", "plan_min"), problem, f"write more than {margin:g}, or 0 for never")


def _check_day(said: str, wrong: Wrong) -> None:
    try:
        ok = not said or date.fromisoformat(said).isoformat() == said
    except ValueError:
        ok = False
    if not ok:
        raise wrong(("deployment", "all_linked_by"), f'"{said}" is no day', 'write it as "2027-03-31"')


def _check_report_mail(settings: Settings, wrong: Wrong) -> None:
    for index, address in enumerate(settings.reports.mail_to):
        if not is_mail_address(address):
            key = ("reports", "mail_to", index)
            raise wrong(key, f'"{address}" is no mail address', "write name@domain")


def _check_ids(table: str, entries: Sequence[Headquarters | Region], wrong: Wrong) -> None:
    if not entries:
        raise wrong((table,), f"there are no {table}", f"write at least one [[{table}]]")
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        key = (table, index, "id")
        if not is_id(entry.id):
            problem = f'"{entry.id}" cannot be an id ({ID_RULE})'
            raise wrong(key, problem, f'write "{suggested_id(entry.id)}"')
        if entry.id in seen:
            raise wrong(key, f'the id "{entry.id}" stands twice in {table}', "give this one another id")
        seen.add(entry.id)
        _check_names(table, index, entry, wrong)


def _check_names(table: str, index: int, entry: Headquarters | Region, wrong: Wrong) -> None:
    for name in ("name_en", "name_hi"):
        if not getattr(entry, name).strip():
            raise wrong((table, index, name), f"{table} {entry.id} has an empty {name}", "write its name")


def _check_reflectors(index: int, end: Headquarters, wrong: Wrong) -> None:
    if not end.reflectors:
        problem = f"headquarters {end.id} has no reflectors"
        raise wrong(("headquarters", index), problem, 'add: reflectors = ["host:862"]')
    for place, address in enumerate(end.reflectors):
        if parse_address(address) is None:
            key = ("headquarters", index, "reflectors", place)
            problem = f'"{address}" is not host:port with a port from 1 to 65535'
            raise wrong(key, problem, 'write it as "10.20.0.5:862" or "[fd00::5]:862"')


def _check_broker(settings: Settings, wrong: Wrong) -> None:
    broker = settings.broker
    if any(sign in broker.root for sign in "+#$ ") or not all(broker.root.split("/")):
        remedy = 'write levels without + # $ and blanks, as "tatpar/1"'
        raise wrong(("broker", "root"), f'"{broker.root}" cannot be the root of topics', remedy)
    if broker.bring == "none" and broker.port == 0:
        problem = 'broker.bring is "none" but broker.port is 0'
        raise wrong(("broker", "bring"), problem, "add the port: port = 1883")
    check_broker_transport(broker, wrong)
    _check_public(settings, wrong)


def check_broker_transport(broker: Broker, wrong: Wrong) -> None:
    """Whatever leaves this machine is encrypted, unless the operator says by name that it need not be."""
    if is_loopback(broker.host):
        return
    if broker.bring == "embedded":
        problem = (
            f'broker.host "{broker.host}" would be open to other machines, and the embedded broker has no TLS'
        )
        raise wrong(("broker", "host"), problem, 'write "127.0.0.1"')
    if broker.insecure:
        return
    if broker.bring != "none":
        problem = f'broker.host "{broker.host}" would be open to other machines without TLS'
        raise wrong(("broker", "host"), problem, 'write "127.0.0.1", and for offices public_host')
    if not broker.ca:
        problem = (
            f'broker.host "{broker.host}" is another machine and broker.ca is empty: there would be no TLS'
        )
        raise wrong(
            ("broker", "host"), problem, "add ca with the PEM file of its authority, or insecure = true"
        )


def _check_public(settings: Settings, wrong: Wrong) -> None:
    broker, enrolment = settings.broker, settings.enrolment
    if broker.is_public and broker.bring not in {"auto", "mosquitto"}:
        problem = f'broker.public_host needs mosquitto, but broker.bring is "{broker.bring}"'
        raise wrong(("broker", "public_host"), problem, 'write bring = "mosquitto"')
    lists = (("broker", "public_names", broker.public_names), ("enrolment", "names", enrolment.names))
    for table, key, names in lists:
        for place, name in enumerate(names):
            if not is_host(name):
                problem = f'"{name}" is neither a name nor an address'
                raise wrong((table, key, place), problem, 'write it without port, as "hub.example"')
    for table, key, host, names in (
        ("broker", "public_host", broker.public_host, broker.names),
        ("enrolment", "host", enrolment.host, settings.desk_names),
    ):
        if host and not is_host(host):
            problem = f'{table}.{key} "{host}" is neither a name nor an address'
            raise wrong((table, key), problem, 'write an address of this machine, as "0.0.0.0"')
        if host and (not names or is_wildcard(names[0])):
            beside = "public_names" if table == "broker" else "names"
            problem = f'{table}.{key} "{host}" is no address that an office could reach'
            raise wrong((table, key), problem, f'add {beside} = ["hub.example"]')


def _check_metrics(settings: Settings, wrong: Wrong) -> None:
    host = settings.metrics.host
    if host and not is_host(host):
        problem = f'metrics.host "{host}" is neither a name nor an address'
        raise wrong(("metrics", "host"), problem, 'write an address of this machine, as "127.0.0.1"')


def _check_reach(settings: Settings, wrong: Wrong) -> None:
    _check_edges(("reach", "edges"), "reach.edges", settings.reach.edges, wrong)
    for number, region in enumerate(settings.regions):
        place = ("regions", number, "reach_edges")
        _check_edges(place, f"reach_edges of {region.id}", region.reach_edges, wrong)


def _check_edges(key: KeyPath, name: str, edges: tuple[str, ...], wrong: Wrong) -> None:
    for place, text in enumerate(edges):
        if parse_check(text) is None:
            raise wrong((*key, place), f'{name} has "{text}"', f"write {CHECK_RULE}")
    if len(edges) > MOST_CHECKS:
        raise wrong(key, f"{name} has {len(edges)} entries", f"keep at most {MOST_CHECKS}")


def _check_rates(settings: Settings, wrong: Wrong) -> None:
    base, meeting = settings.probing.base_pps, settings.probing.meeting_pps
    if meeting < base:
        problem = f"meeting_pps {meeting:g} is below base_pps {base:g}"
        raise wrong(("probing", "meeting_pps"), problem, f"write at least {base:g}")
