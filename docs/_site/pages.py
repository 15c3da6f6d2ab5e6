"""`{pages}`: a list of pages that match, with their titles, which counts as a list like any other but stays out of the side bar.

A hundred decisions in the side bar of every page help nobody, and took two thirds of the time of building.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx import addnodes
from sphinx.util import docname_join
from sphinx.util.docutils import SphinxDirective
from sphinx.util.matching import patfilter

if TYPE_CHECKING:
    from sphinx.application import Sphinx


class Pages(SphinxDirective):
    """Each line of the content is a pattern of pages, relative to this one."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """The list; a pattern that matches nothing is a warning."""
        here = self.env.docname
        found: list[str] = []
        for pattern in (line for line in self.content if line.strip()):
            matched = sorted(patfilter(self.env.found_docs - {here}, docname_join(here, pattern.strip())))
            if not matched:
                self.state_machine.reporter.warning(f"no page matches {pattern!r}", line=self.lineno)
            found += [page for page in matched if page not in found]
        for page in found:
            self.env.files_to_rebuild.setdefault(page, set()).add(here)
        return [nodes.bullet_list("", *(self._item(page) for page in found))]

    def _item(self, page: str) -> nodes.list_item:
        link = addnodes.pending_xref(
            "",
            nodes.inline("", page, classes=["std", "std-doc"]),
            refdomain="std",
            reftype="doc",
            reftarget=f"/{page}",
            refdoc=self.env.docname,
            refexplicit=False,
            refwarn=True,
        )
        return nodes.list_item("", addnodes.compact_paragraph("", "", link))


def setup(app: Sphinx) -> dict[str, Any]:
    """Put it in place."""
    app.add_directive("pages", Pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
