"""The demo: a real data set posted over HTTP, with a person or an oracle who answers."""
