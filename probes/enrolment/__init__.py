"""How an office comes by its credentials, and keeps them."""
