"""What the body-worn device said: facts, with no opinion.

May import nothing of this project. Knows no zone, no order, no person.
"""
