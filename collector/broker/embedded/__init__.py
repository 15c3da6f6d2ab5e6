"""A small MQTT broker for machines without mosquitto; its limits stand in the README beside it."""
