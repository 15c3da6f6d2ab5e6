"""InfluxDB 2.x: organisation, bucket, retention and the mapping for InfluxQL, all through `influxdb-client`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from influxdb_client import BucketRetentionRules, DBRPCreate, DBRPsService
from influxdb_client.rest import ApiException

from telemetry.store.server.database import Problem, Wrong
from telemetry.store.server.wire import translated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from influxdb_client import Bucket, Organization

    from telemetry.store.server.database import Place
    from telemetry.store.server.wire import InfluxWriter

POLICY: Final = "tatpar"
_NOT_FOUND: Final = 404
_DAY_S: Final = 86_400


class Influx2:
    """How to write, look and make in a 2.x server."""

    def __init__(self, writer: InfluxWriter, place: Place, organisation: str) -> None:
        self._writer, self._where = writer, place.where
        self._organisation, self._bucket = organisation, place.bucket
        self._seconds = math.ceil(place.days) * _DAY_S

    def write(self, lines: Sequence[str]) -> None:
        """One request to `/api/v2/write`."""
        self._writer.write(lines)

    def examine(self) -> list[Problem]:
        """Is the bucket there, does it keep long enough, can InfluxQL find it."""
        return translated(self._where, self._examine)

    def _examine(self) -> list[Problem]:
        bucket = self._find_bucket()
        if bucket is None:
            text, remedy = f"there is no bucket {self._bucket}", "run: tatpar store init"
            if self._find_organisation() is None:
                text = f"there is no organisation {self._organisation}, and so no bucket {self._bucket}"
                remedy = f"check store.organisation, or {remedy}"
            return [Problem(Wrong.MISSING, text, remedy)]
        problems = []
        kept = _kept(bucket)
        if 0 < kept < self._seconds:
            text = f"bucket {self._bucket} keeps {kept // _DAY_S} days, the settings want {self._seconds // _DAY_S}"
            problems.append(Problem(Wrong.FORGETS, text, "run: tatpar store init", grave=False))
        if not self._is_mapped(bucket):
            text = f"bucket {self._bucket} cannot be read by InfluxQL: no database is mapped to it"
            problems.append(Problem(Wrong.UNREADABLE, text, "run: tatpar store init"))
        return problems

    def create(self) -> list[str]:
        """Organisation, bucket, retention and mapping: what is missing or differs."""
        return translated(self._where, self._create)

    def _create(self) -> list[str]:
        client = self._writer.client
        done = []
        organisation = self._find_organisation()
        if organisation is None:
            organisation = client.organizations_api().create_organization(name=self._organisation)
            done.append(f"organisation {self._organisation}: made")
        rules = BucketRetentionRules(type="expire", every_seconds=self._seconds)
        bucket = self._find_bucket()
        if bucket is None:
            bucket = client.buckets_api().create_bucket(
                bucket_name=self._bucket, org=organisation, retention_rules=rules
            )
            done.append(f"bucket {self._bucket}: made, keeps {self._seconds // _DAY_S} days")
        elif _kept(bucket) != self._seconds:
            bucket.retention_rules = [rules]
            client.buckets_api().update_bucket(bucket)
            done.append(f"bucket {self._bucket}: keeps {self._seconds // _DAY_S} days now")
        if not self._is_mapped(bucket):
            DBRPsService(client.api_client).post_dbrp(
                DBRPCreate(
                    org_id=organisation.id,
                    bucket_id=bucket.id,
                    database=self._bucket,
                    retention_policy=POLICY,
                    default=True,
                )
            )
            done.append(f"database {self._bucket}: mapped for InfluxQL")
        return done or [f"bucket {self._bucket}: all as it should be"]

    def _find_organisation(self) -> Organization | None:
        try:
            found = self._writer.client.organizations_api().find_organizations(org=self._organisation)
        except ApiException as error:
            if error.status == _NOT_FOUND:
                return None
            raise
        return next((one for one in found if one.name == self._organisation), None)

    def _find_bucket(self) -> Bucket | None:
        organisation = self._find_organisation()
        if organisation is None:
            return None
        found = self._writer.client.buckets_api().find_buckets(name=self._bucket, org_id=organisation.id)
        return next(iter(found.buckets), None)

    def _is_mapped(self, bucket: Bucket) -> bool:
        mappings = DBRPsService(self._writer.client.api_client)
        found = mappings.get_dbr_ps(org_id=bucket.org_id, bucket_id=bucket.id)
        return any(mapping.database == self._bucket for mapping in found.content or ())

    def close(self) -> None:
        """Let go of connections."""
        self._writer.close()


def _kept(bucket: Bucket) -> int:
    """Seconds that a bucket keeps; 0 for ever."""
    return max((rule.every_seconds or 0 for rule in bucket.retention_rules or ()), default=0)
