"""The funnel: how many institutions are known, registered, in process, only listed, accredited, as of a day. Never typed."""
