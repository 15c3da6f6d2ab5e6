"""The state database: what was decided, told and seen."""
