"""Packet metrics by the RFCs' formulas: pure numpy, one concept a module."""
