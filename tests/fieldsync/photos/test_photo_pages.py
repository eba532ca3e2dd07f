"""What the office sees of photos, and who may have the original."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from assessment.property.models import Photo
from assessment.region.ids import new_id
from assessment.region.models import Person
from assessment.region.scope import scope
from fieldsync.client import ProblemAnswer, Tablet
from fieldsync.photos import custody, renditions
from tests.cast import SYSTEM, TOWN_A, Cast
from tests.fieldsync.conftest import House, MakeTablet
from tests.fieldsync.office.test_pages import FIELD, sign_in, text
from tests.fieldsync.photos import images
from tests.fieldsync.photos.test_custody import DAY, deposit, upload_of


@pytest.fixture
def office(cast: Cast) -> Client:
    """Signed in as the assessor."""
    return sign_in(cast.assessor_a)


@pytest.fixture
def photo(tablet: Tablet, houses: list[House]) -> Photo:
    """A photo that came, was drawn, and says where it was taken; its place is not the tablet's."""
    photo_id = tablet.take_photo(
        images.make_talkative(), property_id=str(houses[0].property_id), role="front",
        position={"lat": "41.76", "lon": "-72.74", "accuracy_m": "4"},
    )  # fmt: skip
    assert tablet.push()[0]["status"] == "applied"
    tablet.upload_photos()
    renditions.draw_waiting(TOWN_A, actor=SYSTEM)
    with scope(SYSTEM, towns=[TOWN_A]):
        return Photo.objects.get(id=photo_id)


def address(photo: Photo, size: str) -> str:
    return f"/t/hamden/photos/{photo.id}/{size}"


def body(client: Client, url: str) -> bytes:
    answer = client.get(url)
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)  # type: ignore[arg-type]


def test_only_who_judges_the_field_may_have_the_original(photo: Photo, cast: Cast) -> None:
    def status(person: Person, size: str) -> int:
        answer = sign_in(person).get(address(photo, size))
        answer.close()
        return answer.status_code

    people = [cast.assessor_a, cast.deputy_a, cast.collector_a, cast.clerk_a]
    assert [status(person, "original") for person in people] == [200, 200, 403, 403]
    assert [status(person, "web") for person in people] == [200] * 4
    assert [status(cast.assessor_b, size) for size in ("original", "web", "thumbnail")] == [404] * 3
    assert [Client().get(address(photo, size)).status_code for size in ("original", "web")] == [302, 302]


def test_the_original_is_a_download_that_no_browser_interprets(photo: Photo, office: Client) -> None:
    answer = office.get(address(photo, "original"))
    assert b"".join(answer.streaming_content) == images.make_talkative()  # type: ignore[arg-type]
    assert answer["Content-Disposition"] == f'attachment; filename="photo-{photo.id}.jpg"'
    assert (answer["X-Content-Type-Options"], answer["Content-Type"]) == ("nosniff", "image/jpeg")


def test_what_is_no_image_is_handed_over_as_octets(
    tablet: Tablet,
    houses: list[House],
    office: Client,
) -> None:
    content = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
    photo_id = tablet.take_photo(content, mime="image/svg+xml", property_id=str(houses[0].property_id))
    tablet.push()
    tablet.upload_photos()
    renditions.draw_waiting(TOWN_A, actor=SYSTEM)
    answer = office.get(f"/t/hamden/photos/{photo_id}/original")
    assert b"".join(answer.streaming_content) == content  # type: ignore[arg-type]
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")
    assert office.get(f"/t/hamden/photos/{photo_id}/web").status_code == 404
    assert (
        "no picture could be drawn" in text(office, f"/t/hamden/properties/{houses[0].property_id}/").lower()
    )
    assert "no-picture" not in text(office, f"{FIELD}/photos/?view=unprocessable")


def test_what_others_are_shown_says_nothing_of_place_or_camera(photo: Photo, cast: Cast) -> None:
    clerk = sign_in(cast.clerk_a)
    for size in ("web", "thumbnail"):
        shown = body(clerk, address(photo, size))
        assert not [word for word in (b"GPS", b"Exif", b"Tablet 9", b"41.38") if word in shown]


def test_a_tablet_has_the_originals_that_it_sent_and_of_others_the_pictures(
    photo: Photo, tablet: Tablet, make_tablet: MakeTablet
) -> None:
    other = make_tablet()
    assert tablet.transport.send("GET", f"blobs/{photo.sha256}").content == images.make_talkative()
    assert other.transport.send("GET", f"blobs/{photo.web_sha256}").status_code == 200
    with pytest.raises(ProblemAnswer) as refused:
        other.transport.send("GET", f"blobs/{photo.sha256}")
    assert refused.value.status == 404


def test_a_difference_is_shown_on_the_card_and_in_the_list(photo: Photo, office: Client) -> None:
    assert photo.state == "processed"
    for page in (f"{FIELD}/photos/?view=differing", f"/t/hamden/properties/{photo.property_id}/"):
        assert "from where the tablet was" in text(office, page)
    (told,) = office.get("/api/v1/towns/hamden/field/photos?view=differing").json()
    assert {warning["code"] for warning in told["warnings"]} == {"time-differs", "place-differs"}


def test_the_photos_that_a_visit_lacks_are_listed(
    tablet: Tablet,
    houses: list[House],
    office: Client,
) -> None:
    visit, lost, here = str(new_id()), str(new_id()), str(new_id())
    data = {"property_id": str(houses[0].property_id), "entry_code": "00", "photos": [lost, here]}
    tablet.record({"kind": "inspection.create", "entity_id": visit, "data": data})
    tablet.take_photo(images.make_image(size=(30, 20)), photo_id=here, inspection_id=visit)
    tablet.push()
    tablet.upload_photos()
    (told,) = office.get("/api/v1/towns/hamden/field/photos/missing").json()
    assert (told["inspection_id"], told["named"], told["missing_photos"]) == (visit, 2, [lost])
    page = text(office, f"{FIELD}/photos/")
    assert "1 MAIN ST" in page
    assert "Declared" in page
    with scope(SYSTEM, towns=[TOWN_A]):
        custody.mark_missing(TOWN_A, actor=SYSTEM, now=timezone.now() + 3 * DAY)
    assert "Missing" in text(office, f"{FIELD}/photos/")
    assert "has not arrived" in text(office, f"/t/hamden/properties/{houses[0].property_id}/")


def test_quarantined_photos_are_released_or_discarded_on_the_page(
    tablet: Tablet,
    houses: list[House],
    office: Client,
    cast: Cast,
) -> None:
    photo_id, upload = deposit(tablet, houses[0])
    page = f"{FIELD}/photos/?view=quarantine"
    assert upload.sha256[:16] in text(office, page)
    decide = f"{FIELD}/photos/decide"
    marked = {"upload": [str(upload.id)], "step": "discard", "reason": "not ours"}
    assert sign_in(cast.collector_a).post(decide, marked).status_code == 403
    office.post(decide, marked)
    assert "asked by Ada Assessor" in text(office, page)
    assert "Another person has to agree" in office.post(decide, marked, follow=True).content.decode()
    office.post(decide, {**marked, "step": "release"})
    assert upload_of(upload.sha256).state == "verified"
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Photo.objects.get(id=photo_id).state == "verified"


def test_bytes_that_nobody_declared_are_listed(tablet: Tablet, houses: list[House], office: Client) -> None:
    content = images.make_image(size=(30, 20))
    tablet.take_photo(content, property_id=str(houses[0].property_id))
    tablet.upload_photos()
    upload = upload_of(next(iter(tablet.store.photos("received")))["sha256"])
    assert upload.sha256[:16] in text(office, f"{FIELD}/photos/?view=unclaimed")
    tablet.push()
    assert "No such photos." in text(office, f"{FIELD}/photos/?view=unclaimed")
