"""What is learned: the fold over the log, who writes it, how it is kept, and the versions that predict."""
