"""Read a text about a person: without an address, a postcode or a telephone number in it."""

from navigate_safer.web.form_fields import Fields


def plain(
    fields: Fields, name: str, what: str, *, required: bool = True, large: bool = False
) -> str:
    """What was typed; the error says what has to be taken out of it."""
    read = fields.long_text if large else fields.text
    typed = read(name, what, required=required)
    fields.refuse_private(name)
    return typed
