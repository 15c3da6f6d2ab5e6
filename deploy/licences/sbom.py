"""The bill of materials, CycloneDX 1.6 JSON, of what is installed here and shipped: base, hub, scale, vendored files."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deploy.licences.part import Part


def sbom(parts: Iterable[Part]) -> str:
    """The bill as JSON; the same parts give the same components in the same order.

    Each component has its version, its licence expression, its package URL and, as the property `tatpar:needed-by`,
    which install brings it.
    """
    shipped = [part for part in parts if part.shipped]
    bom = Bom()
    root = Component(
        name="tatpar", version=metadata.version("tatpar"), type=ComponentType.APPLICATION, bom_ref="tatpar"
    )
    bom.metadata.component = root
    components = {part.name: _component(part) for part in shipped}
    for component in components.values():
        bom.components.add(component)
    bom.register_dependency(root, [components[part.name] for part in shipped if part.needed_by == "base"])
    for part in shipped:
        below = [components[name] for name in part.needs if name in components]
        bom.register_dependency(components[part.name], below)
    return make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2) + "\n"


def _component(part: Part) -> Component:
    package = not part.text
    links = (
        [ExternalReference(type=ExternalReferenceType.WEBSITE, url=XsUri(part.source))] if part.source else []
    )
    return Component(
        name=part.name,
        version=part.version or None,
        type=ComponentType.LIBRARY if package else ComponentType.FILE,
        bom_ref=part.name,
        licenses=[LicenseFactory().make_from_string(part.licence)],
        purl=PackageURL("pypi", name=part.name, version=part.version) if package else None,
        external_references=links,
        properties=[Property(name="tatpar:needed-by", value=part.needed_by)],
    )
