"""What telemetry means for a wearer's conditions, who must know, and how to tell them.

May import ``zones`` and ``devices``. No database, no web, no clock: time is an argument.
"""
