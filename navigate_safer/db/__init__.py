"""Tables and their queries, one file a subject. The only tables of the project live here."""
