"""What is true: plain Python that decides. No I/O, no clock, no framework, no database."""
