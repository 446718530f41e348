"""Transdermal alcohol: from readings to episodes with evidence, and what the wearing itself shows.

Pure: readings in, values out. Knows no order and no person; :mod:`alerts.rules` puts it under a
condition. An episode is a measurement over time, never a verdict of "sober".
"""
