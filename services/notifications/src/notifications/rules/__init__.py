"""Rules of the field desk: which event is told to whom, with which text, by which way. Data in `rules.yaml`."""
