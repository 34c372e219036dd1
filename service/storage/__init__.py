"""The only SQL. Functions take an open connection; whoever opened it commits."""
