"""How a question becomes a target of a panel, in the query language of the deployment's database."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from dashboards.grafana import flux, influxql, promql
from dashboards.grafana.ask import SLOT, Grain

if TYPE_CHECKING:
    from config.settings import Store
    from dashboards.grafana.ask import Ask

SOURCE_UID: Final = "tatpar"
"""The data source that is provisioned with the dashboards."""
OFFICES_SOURCE: Final = DataSourceRef(type_val="grafana-testdata-datasource", uid="tatpar-offices")
"""The offices themselves are no measurements: their list is part of the dashboard, served by Grafana's built-in source."""
MIXED: Final = DataSourceRef(type_val="datasource", uid="-- Mixed --")


class Language(StrEnum):
    """The query languages."""

    INFLUXQL = "influxql"
    FLUX = "flux"
    PROMQL = "promql"


@dataclass(frozen=True)
class Target(Dataquery, Builder[Dataquery]):
    """A query as Grafana keeps it; the SDK has no builder for InfluxDB's."""

    body: dict[str, object]

    def to_json(self) -> dict[str, object]:
        """What goes into the dashboard."""
        return self.body

    def build(self) -> Target:
        """It is made already."""
        return self


@dataclass(frozen=True)
class Speech:
    """Says questions in one language, with one deployment's names."""

    language: Language
    prefix: str
    bucket: str

    @property
    def source(self) -> DataSourceRef:
        """The data source that understands it."""
        kind = "prometheus" if self.language is Language.PROMQL else "influxdb"
        return DataSourceRef(type_val=kind, uid=SOURCE_UID)

    def text(self, ask: Ask, column: str = "value") -> str:
        """The query itself; the databases that can name its result call it `column`."""
        if self.language is Language.PROMQL:
            return promql.query(ask, self.prefix)
        if self.language is Language.FLUX:
            return flux.query(ask, self.prefix, self.bucket, column)
        return influxql.query(ask, self.prefix, column)

    def target(self, ask: Ask, ref: str, name: str) -> Target:
        """A target; `name` is what the legend says before the groups."""
        body: dict[str, object] = {"refId": ref, "datasource": self.source.to_json()}
        column = name if ask.over_range else "value"
        shown = [tag for tag in ask.by if not ask.over_range]
        if self.language is Language.PROMQL:
            legend = " ".join([name, *(f"{{{{{tag}}}}}" for tag in shown)])
            body |= {"expr": self.text(ask), "legendFormat": legend, "interval": _least(ask)}
            form = "table" if ask.over_range else "time_series"
            body |= {"format": form, "instant": ask.over_range, "range": not ask.over_range}
        elif self.language is Language.FLUX:
            body |= {"query": self.text(ask, column)}
        else:
            alias = " ".join([name, *(f"$tag_{tag}" for tag in shown)])
            form = "table" if ask.over_range else "time_series"
            body |= {"query": self.text(ask, column), "rawQuery": True, "resultFormat": form, "alias": alias}
        return Target(body)


def _least(ask: Ask) -> str:
    """The shortest step."""
    return SLOT if ask.grain is Grain.ROLLUPS else "15s"


def speech_of(store: Store, language: Language | None = None) -> Speech:
    """The language of the deployment's database; InfluxDB 2 has two, and InfluxQL unless `language` says otherwise.

    Raises:
        ValueError: the store is no database server, or does not speak `language`.
    """
    spoken = {
        "victoriametrics": (Language.PROMQL,),
        "influxdb": (Language.INFLUXQL, Language.FLUX),
        "influxdb1": (Language.INFLUXQL,),
    }.get(store.kind, ())
    if not spoken:
        raise ValueError(
            f'store.kind is "{store.kind}", which Grafana cannot ask; write "victoriametrics", "influxdb" or "influxdb1"'
        )
    if language is not None and language not in spoken:
        raise ValueError(f'store.kind "{store.kind}" does not speak {language}; write {" or ".join(spoken)}')
    return Speech(language or spoken[0], store.prefix, store.bucket)
