"""Measures the service against others in the same run, on the same machine; figures are ratios of medians."""
