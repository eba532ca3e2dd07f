"""Whatever is sent to an interface: no 5xx, a problem document for every refusal, answers as documented."""

from __future__ import annotations

from django.test import Client
from pytest_django import Settings

from tests.canaries import field_world  # noqa: F401  registers its makers
from tests.canaries.world import make_world
from tests.cast import TOWN_A, Cast
from tests.fieldsync.conftest import House, MakeTablet, cast, draw, houses, make_tablet, new_tablet, server  # noqa: F401  fixtures
from tests.project.fuzzing import Fuzzing


def test_the_tablets_interface_stands_whatever_is_sent(
    make_tablet: MakeTablet,  # noqa: F811
    houses: list[House],  # noqa: F811
    settings: Settings,
) -> None:
    tablet = make_tablet()
    package = draw(houses, tablet.device_id)
    manifest = tablet.download(str(package.id))
    sent = tablet.patch_card(str(houses[0].property_id), {"comment": "seen"})
    photo_id = tablet.take_photo(b"\xff\xd8\xff\xe0" + bytes(500), property_id=str(houses[0].property_id))
    tablet.push()
    tablet.upload_photos()
    [photo] = tablet.store.photos("received")
    settings.FIELD_REQUESTS_PER_S, settings.FIELD_REQUEST_BURST = 100_000, 100_000
    known = {
        "package_id": package.id,
        "device_id": tablet.device_id,
        "sha256": manifest["parts"][0]["sha256"],
        "upload_id": photo["url"].rpartition("/")[2],
        "mutation_id": sent["mutation_id"],
        "property_id": houses[0].property_id,
        "photo_id": photo_id,
        "town": TOWN_A,
    }
    headers = {"Authorization": f"Bearer {tablet.transport.renew_token()}"}
    done = Fuzzing("/api/field/v1/", headers, known).run()
    assert not done.failures, "\n".join(done.failures[:40])
    assert len(done.statuses) > 15
    assert any(200 in seen for seen in done.statuses.values())


def test_the_offices_interface_stands_whatever_is_sent(cast: Cast, settings: Settings) -> None:  # noqa: F811
    world = make_world(cast.town_a, cast.assessor_a, "AARDVARK", cast.actor(cast.assessor_a))
    client = Client()
    client.force_login(cast.assessor_a, backend="django.contrib.auth.backends.ModelBackend")
    client.get("/")
    token = client.cookies[settings.CSRF_COOKIE_NAME].value
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    done = Fuzzing("/api/v1/", {"X-CSRFToken": token}, world.ids, cookies).run()
    assert not done.failures, "\n".join(done.failures[:40])
    assert len(done.statuses) > 30
    assert sum(200 in seen for seen in done.statuses.values()) > 15
