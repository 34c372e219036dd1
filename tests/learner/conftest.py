"""The learner's properties are checked without a deadline: a kernel's first call compiles it."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("learner", deadline=None, max_examples=60, derandomize=True, database=None)
settings.load_profile("learner")
