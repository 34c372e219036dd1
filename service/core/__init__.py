"""Use cases: what Engram does, without HTTP and without SQL."""
