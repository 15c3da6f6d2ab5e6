"""Who may speak to the hub: its certificates, the probes' credentials, the desk at which they are handed out."""
