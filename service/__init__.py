"""Engram as a service: streams, samples, queries and labels over HTTP, on a database, around the learner."""
