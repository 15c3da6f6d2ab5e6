"""The plots of a report: one kind a file, each a block of the document drawn as SVG."""
