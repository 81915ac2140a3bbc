"""Many people want the few seats of one event at the same moment."""
