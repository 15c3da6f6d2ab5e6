"""The scored forecast: what is known of lines by the slot, the model that is fitted to it, the chances it gives."""
