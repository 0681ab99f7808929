"""What may be done: functions named by a verb, taking `session` and `now`. They never reach the network."""
