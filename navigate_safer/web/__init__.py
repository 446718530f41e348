"""Pages. ``create_app`` makes the Flask application; routes call services and nothing else."""

import json
from datetime import timedelta
from pathlib import Path

from flask import Flask, g
from flask_wtf import CSRFProtect
from jinja2 import ChainableUndefined, ChoiceLoader, FileSystemLoader, PackageLoader, PrefixLoader
from werkzeug.routing import IntegerConverter, Map

from navigate_safer.web import (
    alerts,
    assessments,
    auth,
    board,
    breaches,
    burden,
    capacity,
    cases,
    charts,
    closing,
    cohort,
    cohort_flags,
    cohort_forms,
    cohort_settings,
    command_words,
    commands,
    contacts,
    costs,
    enforcement,
    errors,
    exceptions,
    failures,
    groups,
    harm_tables,
    hub,
    individual,
    interventions,
    links,
    maps,
    menu,
    navigation,
    near,
    notify,
    order_clauses,
    orders,
    outcome_packs,
    outcomes,
    oversight,
    panels,
    person_tabs,
    plan_agreement,
    plan_forms,
    plan_log,
    plans,
    playbooks,
    policies,
    protection,
    public,
    quarantine,
    ratings,
    reasons,
    record_pages,
    referrals,
    registers,
    requests,
    rotas,
    security,
    service_alerts,
    silences,
    statements,
    today,
    twilio,
    victim_register,
    victims,
    wearer_messages,
    wearer_policies,
    words,
    zones,
)
from navigate_safer.wiring import Service

HERE = Path(__file__).parent
BLUEPRINTS = (
    auth,
    public,
    board,
    alerts,
    cases,
    commands,
    maps,
    zones,
    exceptions,
    charts,
    near,
    outcomes,
    outcome_packs,
    costs,
    harm_tables,
    oversight,
    service_alerts,
    quarantine,
    silences,
    policies,
    rotas,
    playbooks,
    protection,
    contacts,
    burden,
    links,
    wearer_messages,
    wearer_policies,
    twilio,
    notify,
)
# Pages of casework, in the order of their entries in a person's navigation.
CASEWORK = (
    today,
    closing,
    cohort,
    cohort_forms,
    cohort_flags,
    cohort_settings,
    plans,
    plan_forms,
    plan_log,
    plan_agreement,
    interventions,
    individual,
    menu,
    groups,
    registers,
    capacity,
    *(orders, order_clauses, enforcement, failures, breaches),
    referrals,
    assessments,
    ratings,
    victims,
    victim_register,
    panels,
    hub,
    statements,
)


class _Application(Flask):
    # The GOV.UK macros ask for parameters that a page need not give.
    jinja_options = {"undefined": ChainableUndefined, "trim_blocks": True, "lstrip_blocks": True}


class _RowNumber(IntegerConverter):
    """A number in an address: one that no row can have is no address, and never a fault."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=2**63 - 1)


def create_app(service: Service) -> Flask:
    """The application over one service; raises BadSetting without a secret key."""
    settings = service.settings
    app = _Application(__name__, static_folder=str(HERE / "static"), static_url_path="/assets")
    secure = settings.public_url.startswith("https://")
    app.config.update(
        SECRET_KEY=settings.need_secret_key(),
        SESSION_COOKIE_NAME="__Host-navigate-safer" if secure else "navigate-safer",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(seconds=settings.session_longest_s),
        MAX_CONTENT_LENGTH=256 * 1024,
        # The token lives as long as the session: a page left open over night must still work.
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=secure,
    )
    app.extensions["service"] = service
    govuk = PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})
    app.jinja_loader = ChoiceLoader([FileSystemLoader(HERE / "templates"), govuk])
    app.url_map.converters["int"] = _RowNumber
    zones.install(app)
    csrf = CSRFProtect(app)
    for module in (*BLUEPRINTS, *CASEWORK):
        app.register_blueprint(module.pages)
    # Twilio proves itself by its signature and cannot know our token.
    csrf.exempt(twilio.pages)
    csrf.exempt(notify.pages)
    # The secret is in the address, and no session is used: see the module.
    csrf.exempt(links.pages)
    for part in (words, navigation, reasons, command_words, requests, security, auth, errors):
        part.install(app)
    app.jinja_env.globals.update(
        asset_versions=_asset_versions(),
        demonstration=settings.demonstration,
        person_tabs=person_tabs.of(CASEWORK),
        record_page=record_pages.of(CASEWORK),
    )
    app.context_processor(lambda: {"cspNonce": g.get("csp_nonce", "")})
    return app


def _asset_versions() -> dict[str, str]:
    manifest = HERE / "static" / "manifest.json"
    if not manifest.exists():
        raise RuntimeError("the front end is not built: run `python hatch_build.py`")
    versions: dict[str, str] = json.loads(manifest.read_text(encoding="utf-8"))
    return versions
