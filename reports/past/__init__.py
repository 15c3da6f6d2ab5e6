"""The past as it was judged, read out of a store: slots of many offices under many limits."""
