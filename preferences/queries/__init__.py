"""What may be asked: selects that return frozen rows."""
