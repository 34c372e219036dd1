"""Looking back, and changing what was said: lookups, exports, corrections, rollback, proof."""
