"""What the operator writes: settings, sites, meetings, call profiles; loaded strictly, explained when wrong."""
