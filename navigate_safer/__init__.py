"""People, and the shell that joins the stages: database, services, workers, web.

Holds a docstring only: importing ``navigate_safer.people`` must load no framework.
"""
