"""What Engram claims, each measured by one command."""
