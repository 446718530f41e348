"""The invented cohort and the process that runs the whole service on one machine."""
