"""What the learner is made of: binary synapses, their rule, and networks of them."""
