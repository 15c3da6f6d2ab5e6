"""The language of the house: messages on the wire, packet metrics, reports at rest, decisions on record."""
