"""A sample on its way in: parsed, scored, perhaps asked, stored."""
