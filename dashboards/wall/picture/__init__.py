"""What the wall shows, computed once for everybody who looks: offices, tiles, meetings, flags, health."""
