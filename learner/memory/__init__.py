"""What the learner remembers: binary traces of every class, which need no old data to be kept."""
