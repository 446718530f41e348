"""Where the wearer is against the map and the clock; knows no person and no order.

May import ``devices``. Coordinates are (x, y) = (longitude, latitude) in EPSG:4326; metres
appear only inside :mod:`zones.geometry`.
"""
