"""How a report looks: the blocks of a document drawn as one HTML file, or as a PDF."""

from __future__ import annotations

from reports.paper.page import html
from reports.paper.pdf import pdf

__all__ = ["html", "pdf"]
