"""Invented names and telephone numbers, and streets that exist nowhere.

Numbers come from the range that Ofcom keeps free for drama, 07700 900000 to 900999, so that a
text sent by mistake from a demonstration reaches nobody (Ofcom, "Telephone numbers for use in TV
and radio drama programmes").
"""

from random import Random

DRAMA_PREFIX = "+447700900"
DRAMA_NUMBERS = 1000


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FEMALE = _words(
    "Abigail Aisha Alice Amara Amelia Anita Anna Beth Bronwen Carla Carys Charlotte Chloe Claire "
    "Danielle Dawn Deborah Donna Elaine Eleanor Emily Erin Faith Farah Fiona Freya Gemma Grace "
    "Hannah Heather Holly Imogen Iram Jade Janet Jasmine Joanna Joyce Karen Katie Kelly Keira "
    "Laura Leanne Lily Lorna Lucy Maria Megan Mia Michelle Molly Nadia Naomi Natalie Nicola "
    "Olivia Paula Pauline Phoebe Priya Rachel Rebecca Rhian Robyn Rosie Ruth Sadie Samantha "
    "Sandra Sara Shannon Sian Sophie Stacey Susan Tanya Teresa Tracey Vanessa Wendy Yasmin Zoe"
)
_MALE = _words(
    "Aaron Adam Adrian Alan Alex Amir Andrew Anthony Ashley Barry Ben Bradley Brian Callum Carl "
    "Chris Colin Connor Craig Damien Daniel Darren David Dean Dylan Edward Eric Ethan Gareth Gary "
    "Gavin George Glenn Graham Greg Harry Hassan Howard Iain Ivan Jack Jake James Jason Jermaine "
    "Joe Jordan Josh Karl Keith Kevin Kieran Kyle Lee Leon Liam Lewis Luke Marcus Mark Martin "
    "Matthew Michael Mohammed Nathan Neil Nigel Owen Patrick Paul Peter Philip Rhys Richard Robert "
    "Ross Ryan Sam Scott Sean Shaun Simon Stefan Stephen Stuart Terry Thomas Toby Tony Tyler Wayne"
)
_SURNAMES = _words(
    "Ackerley Aldcroft Alderwick Amberton Ashbrook Astle Bainford Barlowe Bellis Birtwell "
    "Blackhurst Bolland Bramhill Brockway Burrowes Caldecott Cartledge Chadwell Cheadley Clegg "
    "Coppock Cranfield Crewdson Cropper Dainty Darlow Deakin Dobbs Drinkwater Dunning Eardley "
    "Eccleshall Edgeley Fairhurst Farrimond Fearnley Finney Garside Gatley Gilbody Goodier "
    "Grindley Hallam Hankey Hargrave Haslam Heyes Hignett Hollis Horrocks Hulme Ikin Ingham "
    "Jepson Jolley Kettle Kinsey Kirkham Lathom Leigh Littler Lomas Lowndes Maddock Makin "
    "Marbrow Massey Millington Minshull Mottram Nadin Nettleton Newall Norbury Oakes Ollier "
    "Openshaw Orme Oulton Pargeter Penlington Pimlott Platt Preece Quinney Ravenscroft Redfern "
    "Rigby Rowbottom Rylance Salthouse Scragg Shufflebotham Siddall Sproston Stubbs Swindells "
    "Tatlock Thornber Tickle Tomkinson Unsworth Venables Walmsley Wetton Whalley Wilbraham "
    "Winstanley Woodier Worrall Yarwood Yates"
)
# Words that name no place, so that a street made of them names no street.
_STREET_ROOTS = _words(
    "Quillbarrow Fennimede Harrowisk Tamblethorn Wexlow Ostermere Brindlewick Corvenhay Duskford "
    "Elderquick Farrowmint Glimmerley Hollowisp Jessamour Kittlebeck Larkenshade Mossquill "
    "Nettlegrave Orrinfold Pinderwhin Quernstead Rookminster Silverhask Thimblecote Umberlow "
    "Vellumside Withergreen Yarrowisk"
)
_STREET_KINDS = ("Close", "Court", "Drive", "Gardens", "Grove", "Lane", "Row", "Walk")


def person_name(rng: Random, *, female: bool) -> str:
    """A first name and a surname; may repeat."""
    return f"{rng.choice(_FEMALE if female else _MALE)} {rng.choice(_SURNAMES)}"


class UniqueNames:
    """Names none of which is given twice, for people who share a list on one page."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._given: set[str] = set()

    def next(self, *, female: bool) -> str:
        """A name not given before."""
        name = person_name(self._rng, female=female)
        while name in self._given:
            name = person_name(self._rng, female=female)
        self._given.add(name)
        return name


def drama_number(index: int) -> str:
    """The mobile number ``index`` (0 to 999) of the drama range, E.164."""
    if not 0 <= index < DRAMA_NUMBERS:
        raise ValueError(f"the drama range has {DRAMA_NUMBERS} numbers; there is no number {index}")
    return f"{DRAMA_PREFIX}{index:03d}"


def street_address(rng: Random, ward: str) -> str:
    """An invented house and street in a real ward."""
    street = f"{rng.choice(_STREET_ROOTS)} {rng.choice(_STREET_KINDS)}"
    return f"{rng.randint(1, 148)} {street}, {ward}"
