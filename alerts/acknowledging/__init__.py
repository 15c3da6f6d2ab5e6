"""How somebody says that an alert is taken up: by the link in a message, or by answering the mail."""
