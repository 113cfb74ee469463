"""Results as data: reports written once, statistics computed at table time, tables rendered and checked."""
