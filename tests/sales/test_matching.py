import pytest

from assessment.sales.rules.matching import AddressBook, Entry, Method, Reason

BOOK = AddressBook(
    [
        Entry("elm-1", "1 ELM ST"),
        Entry("elm-3", "3-5 ELM ST"),
        Entry("elm-7", "7 ELM ST"),
        Entry("elm-9", "9 ELM ST"),
        Entry("twice-a", "11 ELM ST"),
        Entry("twice-b", "11 ELM ST"),
        Entry("oak-2", "2 OAK GROVE RD"),
        Entry("north", "10 NORTH MAIN ST"),
        Entry("main", "12 MAIN ST"),
        Entry("high-st", "4 HIGHLAND ST"),
        Entry("high-rd", "4 HIGHLAND RD"),
        Entry("barley", "6 BARLEYFIELD RD"),
        Entry("complex", "100 KANE STREET #A01", is_complex=True),
        Entry("kane", "102 KANE STREET"),
        Entry("governors", "1 GOVERNORS ROW", is_complex=True),
        Entry("unit-1", "50 PARK PL", unit="1"),
        Entry("unit-2", "50 PARK PL #2"),
        Entry("rear", "20R ELM ST"),
    ]
)


@pytest.mark.parametrize(
    ("address", "key", "method"),
    [
        ("1 Elm Street", "elm-1", Method.EXACT),
        ("3 ELM ST", "elm-3", Method.RANGE),
        ("3/5 ELM ST", "elm-3", Method.EXACT),
        ("3 & 5 ELM ST", "elm-3", Method.RANGE),
        ("20 ELM ST REAR", "rear", Method.EXACT),
        ("2 OAKGROVE ROAD", "oak-2", Method.EXACT),
        ("2 OAK GROVE LANE", "oak-2", Method.STREET_NAME),
        ("2 OAK GROVE", "oak-2", Method.STREET_NAME),
        ("6 BARLEYFEILD RD", "barley", Method.SPELLING),
        ("100 KANE ST UNIT D-4", "complex", Method.COMPLEX),
        ("100C KANE ST", "complex", Method.COMPLEX),
        ("18 GOVERNORS ROW", "governors", Method.COMPLEX_STREET),
        ("50 PARK PLACE UNIT 1", "unit-1", Method.UNIT),
        ("50 PARK PLACE 2", "unit-2", Method.UNIT),
    ],
)
def test_an_address_finds_its_one_property(address: str, key: str, method: Method) -> None:
    found = BOOK.match(address)
    assert (found.key, found.method, found.reason) == (key, method, None)


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("", Reason.NO_ADDRESS),
        ("ELM ST", Reason.NO_HOUSE_NUMBER),
        ("0 ELM ST", Reason.NO_HOUSE_NUMBER),
        ("5 NOWHERE LANE", Reason.NO_SUCH_STREET),
        ("10 MAIN ST", Reason.NO_SUCH_NUMBER),
        ("12 NORTH MAIN ST", Reason.NO_SUCH_NUMBER),
        ("77 ELM ST", Reason.NO_SUCH_NUMBER),
        ("7-9 ELM ST", Reason.SEVERAL_PROPERTIES),
        ("7 ELM ST, 9 ELM ST", Reason.SEVERAL_PROPERTIES),
        ("11 ELM ST", Reason.AMBIGUOUS),
        ("4 HIGHLAND AVE", Reason.AMBIGUOUS_STREET),
        ("7 ELM ST UNIT 2", Reason.UNIT_UNKNOWN),
        ("104 KANE ST A-2", Reason.UNIT_UNKNOWN),
        ("50 PARK PL UNIT 9", Reason.UNIT_UNKNOWN),
        ("8 BARLEYFEILD RD", Reason.NO_SUCH_STREET),
    ],
)
def test_an_address_that_is_no_one_property_s_gets_a_reason(address: str, reason: Reason) -> None:
    found = BOOK.match(address)
    assert (found.key, found.reason) == (None, reason)


def test_a_sale_of_a_unit_without_its_number_says_that_the_unit_is_not_known() -> None:
    assert "does not say which" in BOOK.match("100 KANE ST", unit_expected=True).note


def test_a_unit_is_named_in_the_note_of_a_complex_match() -> None:
    assert BOOK.match("100 KANE ST UNIT D-4").note == "unit D4 of the complex"
