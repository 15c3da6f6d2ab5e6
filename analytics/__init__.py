"""Arithmetic on what was measured, without I/O: arrays in, arrays and small frozen records out.

Windows judged, the past and what is usual, condition and flags, outages, trends and moved levels, shared faults, the forecast and
its score, readiness with reasons and advice, how a call would sound. README.md says what each module is for.
"""
