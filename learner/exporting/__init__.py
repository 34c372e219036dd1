"""What leaves for small devices: a committee of binary networks, one bit for each weight."""

from learner.exporting.c_header import c_header
from learner.exporting.encoding import c_encoding
from learner.exporting.packed import PackedCommittee, pack

__all__ = ["PackedCommittee", "c_encoding", "c_header", "pack"]
