"""How the learner is doing."""
