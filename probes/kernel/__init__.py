"""What is asked of the operating system: stamps, many datagrams at once, clocks, interfaces, ports."""
