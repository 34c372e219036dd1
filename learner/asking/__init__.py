"""When the learner asks: uncertainty, utility, selection with propensity, budget."""
