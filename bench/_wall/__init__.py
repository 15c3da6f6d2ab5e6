"""Parts of the benchmark of the wall: the fleet that is shown, the server that shows it, walls that only listen, a browser."""
