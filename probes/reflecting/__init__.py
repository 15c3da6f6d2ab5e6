"""The reflector at a headquarters: whom it answers, and how."""
