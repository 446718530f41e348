"""Pure casework: orders, access, case files. Imports no framework and no database."""
