"""What `make bench` runs: real servers, real databases with every write durable, figures as ratios."""
