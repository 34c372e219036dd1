"""Questions and answers: who works on which query, and how a label enters the log."""
