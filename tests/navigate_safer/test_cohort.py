"""The invented cohort: its sizes, and that nobody can be found or rung from it."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
import shapely
from shapely.geometry import Point

from alerts.terms import ConditionKind, DeviceKind
from navigate_safer.demo import names, places
from navigate_safer.demo.cohort import build_cohort
from navigate_safer.demo.wearers import HOME_CLEARANCE_M, homes, sketches
from navigate_safer.people.access import Role
from navigate_safer.people.casefile import CaseFile
from zones.geojson import shape_from_geojson

START = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
SEEDS = [pytest.param(seed, id=f"seed {seed}") for seed in (1, 2, 2026)]


@pytest.fixture(scope="module", params=SEEDS)
def seed(request):
    return request.param


@pytest.fixture(scope="module")
def cohort(seed):
    return build_cohort(seed=seed, start=START)


def conditions(wearer):
    return [condition for order in wearer.orders for condition in order.conditions]


def test_the_cohort_has_the_size_of_the_seed_document(cohort):
    assert len(cohort.wearers) == 156
    assert len(cohort.victims) == 1160


def test_every_one_of_the_46_wards_has_somebody(cohort):
    assert {wearer.locality for wearer in cohort.wearers} == set(places.wards())
    assert len(places.wards()) == 46
    assert {wearer.area for wearer in cohort.wearers} == {area.ref for area in cohort.areas}


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(cohort, seed):
    sketches.cache_clear()
    again = msgspec.json.encode(build_cohort(seed=seed, start=START))
    assert again == msgspec.json.encode(cohort)
    assert again != msgspec.json.encode(build_cohort(seed=seed + 1, start=START))


def test_it_survives_being_written_and_read(cohort):
    assert msgspec.json.decode(msgspec.json.encode(cohort), type=CaseFile) == cohort


def test_no_reference_is_given_twice(cohort):
    all_conditions = [each for wearer in cohort.wearers for each in conditions(wearer)]
    orders = [order for wearer in cohort.wearers for order in wearer.orders]
    for entries in (
        cohort.areas,
        cohort.staff,
        cohort.gateways,
        cohort.devices,
        cohort.zones,
        cohort.wearers,
        cohort.victims,
        orders,
        all_conditions,
    ):
        refs = [entry.ref for entry in entries]
        assert len(refs) == len(set(refs))
    assert len({wearer.name for wearer in cohort.wearers}) == 156


def test_everything_that_is_named_exists(cohort):
    zones = {zone.ref for zone in cohort.zones}
    wearers = {wearer.ref for wearer in cohort.wearers}
    victims = {victim.ref for victim in cohort.victims}
    areas = {area.ref for area in cohort.areas}
    gateways = {gateway.ref for gateway in cohort.gateways}
    devices = {device.ref for device in cohort.devices}
    managers = {each.ref for each in cohort.staff if each.role is Role.OFFENDER_MANAGER}
    for wearer in cohort.wearers:
        assert {each.device for each in wearer.fittings} <= devices
        assert wearer.offender_manager in managers
        for condition in conditions(wearer):
            assert (condition.zone in zones) == condition.kind.needs_zone
    assert all(set(zone.protects) <= victims for zone in cohort.zones)
    assert all(victim.wearers and set(victim.wearers) <= wearers for victim in cohort.victims)
    assert {device.gateway for device in cohort.devices} == gateways
    assert all(set(each.areas) <= areas for each in cohort.staff)
    assert {each.area for each in cohort.victims} <= areas


def test_conditions_are_spread_as_in_a_real_caseload(cohort):
    kinds = Counter(
        kind for wearer in cohort.wearers for kind in {each.kind for each in conditions(wearer)}
    )
    assert kinds[ConditionKind.TAG_CARE] == 156
    assert kinds[ConditionKind.EXCLUSION_ZONE] >= 140
    assert kinds[ConditionKind.CURFEW] == 78
    assert kinds[ConditionKind.ALCOHOL_ABSTINENCE] == 40
    assert kinds[ConditionKind.RESTRICTION_ZONE] == 4
    assert {order.kind for wearer in cohort.wearers for order in wearer.orders} == {
        "licence",
        "community_order",
        "suspended_sentence",
        "dapo",
        "bail",
    }


def test_a_wearer_with_an_alcohol_clause_has_a_monitor_beside_the_tag(cohort):
    kinds = {device.ref: device.kind for device in cohort.devices}
    for wearer in cohort.wearers:
        worn = sorted(kinds[each.device].value for each in wearer.fittings)
        drinks = any(each.kind is ConditionKind.ALCOHOL_ABSTINENCE for each in conditions(wearer))
        assert worn == (["alcohol_monitor"] if drinks else []) + ["location_tag"]
    assert Counter(kinds.values()) == {
        DeviceKind.LOCATION_TAG: 156,
        DeviceKind.ALCOHOL_MONITOR: 40,
        DeviceKind.PROTECTED_PERSON: 1,
    }


def test_one_wearer_keeps_away_from_a_person_whose_home_is_in_no_document(cohort, seed):
    (him,) = [each for each in sketches(seed) if each.keeps_away is not None]
    (entry,) = [
        each
        for wearer in cohort.wearers
        for each in conditions(wearer)
        if each.kind is ConditionKind.DISTANCE
    ]
    (victim,) = [each for each in cohort.victims if each.devices]
    assert (entry.keep_away, entry.within_m) == (victim.ref, 400)
    assert him.ref == victim.wearers[0] != cohort.wearers[-1].ref
    written = msgspec.json.encode(cohort).decode()
    # Both together: one number of five decimals is somewhere among so many points by chance.
    lon, lat = him.keeps_away.home
    assert f"{lon},{lat}" not in written


def test_some_zones_have_a_line_that_warns_and_no_home_is_within_it(cohort, seed):
    ringed = [zone for zone in cohort.zones if zone.properties]
    assert 5 <= len(ringed) <= 20
    home_of = {f"Z-{each.number:04d}-X": each.home for each in sketches(seed)}
    for zone in ringed:
        (ring,) = zone.properties["rings"]
        shape = shape_from_geojson(zone.geometry)
        assert places.distance_m(home_of[zone.ref], shape) > ring["m"]


def test_fittings_and_conditions_begin_together_a_day_before_the_start(cohort):
    begins = START - timedelta(hours=24)
    for wearer in cohort.wearers:
        assert {each.fitted_at for each in wearer.fittings} == {begins}
        assert {each.from_at for each in conditions(wearer)} == {begins}
        assert all(order.starts_on < START.date() < order.ends_on for order in wearer.orders)


def test_zones_are_accepted_by_the_zone_reader(cohort):
    for zone in cohort.zones:
        shape = shape_from_geojson(zone.geometry, buffer_m=zone.buffer_m)
        assert shape.is_valid
        assert not shape.is_empty


def test_no_home_lies_in_or_near_a_zone_its_owner_must_avoid(cohort, seed):
    home_of = homes(seed)
    zones = {zone.ref: zone for zone in cohort.zones}
    for wearer in cohort.wearers:
        for condition in conditions(wearer):
            if condition.kind is ConditionKind.EXCLUSION_ZONE:
                shape = shape_from_geojson(zones[condition.zone].geometry)
                assert places.distance_m(home_of[wearer.ref], shape) >= HOME_CLEARANCE_M


def test_a_curfew_is_at_home_and_a_restriction_zone_holds_the_home(cohort, seed):
    home_of = homes(seed)
    zones = {zone.ref: zone for zone in cohort.zones}
    schedules = Counter()
    for wearer in cohort.wearers:
        for condition in conditions(wearer):
            if condition.kind is ConditionKind.CURFEW:
                zone = zones[condition.zone]
                assert zone.geometry["coordinates"] == list(home_of[wearer.ref])
                assert zone.buffer_m == 100
                schedules["always" if zone.schedule is None else zone.schedule[0].start] += 1
            if condition.kind is ConditionKind.RESTRICTION_ZONE:
                shape = shape_from_geojson(zones[condition.zone].geometry)
                assert shape.contains(Point(home_of[wearer.ref]))
    assert schedules == {"19:00": 77, "always": 1}


def test_victims_have_no_coordinate_and_share_only_a_ward_with_their_zone(cohort):
    victims = {victim.ref: victim for victim in cohort.victims}
    assert not re.search(r"-?\d+\.\d{3}", msgspec.json.encode(cohort.victims).decode())
    guarded = [zone for zone in cohort.zones if zone.protects and not zone.ref.startswith("Z-TOWN")]
    assert len(guarded) == 140
    for zone in guarded:
        wards = {victims[ref].address.split(", ")[1] for ref in zone.protects}
        assert len(wards) == 1
        # The zone is the ward itself or a shape about a random point of it, a mile or so across.
        shape = places.BOROUGH.shape_m(shape_from_geojson(zone.geometry))
        assert shape.area**0.5 > 600
        assert shapely.intersects(shape, places.BOROUGH.shape_m(places.wards()[wards.pop()]))
    assert all(re.fullmatch(r"\d+ \w+ \w+, [\w' ]+", each.address) for each in cohort.victims)


def test_every_telephone_number_is_one_that_ofcom_keeps_for_drama(cohort):
    phones = [each.phone for each in [*cohort.staff, *cohort.victims] if each.phone]
    assert all(re.fullmatch(r"\+447700900\d{3}", phone) for phone in phones)
    assert len(phones) == len(set(phones))
    assert all(each.phone for each in cohort.staff)


def test_each_role_is_filled_and_duty_officers_are_called_in_order(cohort):
    roles = Counter(each.role for each in cohort.staff)
    assert set(roles) == set(Role)
    assert roles[Role.DUTY_OFFICER] == 3
    assert roles[Role.SUPERVISOR] == roles[Role.IDVA] == 2
    duty = [each for each in cohort.staff if each.role is Role.DUTY_OFFICER]
    assert [each.call_order for each in duty] == [10, 20, 30]
    assert all(len(each.areas) == len(cohort.areas) for each in duty)
    assert all(each.password is None for each in cohort.staff)
    cases = Counter(wearer.offender_manager for wearer in cohort.wearers)
    assert max(cases.values()) <= 25


def test_shared_town_centre_zones_count_in_the_evening(cohort):
    towns = [zone for zone in cohort.zones if zone.ref.startswith("Z-TOWN")]
    assert [zone.name for zone in towns] == list(places.TOWN_CENTRES)
    used = Counter(each.zone for wearer in cohort.wearers for each in conditions(wearer))
    for zone in towns:
        assert zone.schedule[0].start == "18:00"
        assert used[zone.ref] >= 10
        assert zone.protects


@pytest.mark.parametrize("name", places.TOWN_CENTRES)
def test_town_centres_lie_in_their_town(name):
    ward = {"Chester": "Chester City", "Elles": "Ellesmere Port Town", "North": "Winnington"}
    expected = next(value for key, value in ward.items() if name.startswith(key))
    centre = places.town_centre(name).centroid
    (found,) = [ward for ward, shape in places.wards().items() if shape.contains(centre)]
    assert found.startswith(expected)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        pytest.param(
            lambda: build_cohort(seed=1, start=datetime(2026, 1, 1)),  # noqa: DTZ001
            "offset",
            id="naive start",
        ),
        pytest.param(lambda: names.drama_number(1000), "no number 1000", id="past the range"),
        pytest.param(lambda: places.locality_of("Atlantis"), "Atlantis", id="unknown ward"),
    ],
)
def test_a_wrong_request_says_what_is_wrong(call, says):
    with pytest.raises((ValueError, KeyError), match=says):
        call()


def test_a_start_in_another_zone_of_time_is_the_same_instant():
    local = START.astimezone(ZoneInfo("Europe/London"))
    (here,), (there,) = (
        {
            each.fitted_at
            for wearer in build_cohort(seed=1, start=when).wearers
            for each in wearer.fittings
        }
        for when in (START, local)
    )
    assert here == there
