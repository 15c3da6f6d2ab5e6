"""MQTT in: validated, de-duplicated, committed, confirmed; presence and plans out."""
