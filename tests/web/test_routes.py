"""Who reaches which address: a table written from the roles' work, not from the grants."""

import re
from typing import NamedTuple

import pytest
from flask import Flask
from web import casework, programmes
from web.cohort_forms import clock_of
from web.enforcing import breach_of, failure_of, notice_of, order_of
from web.on_call import policy_of, rota_of, silence_of
from web.world import ACCOUNTS, HOME, World, plain

from alerts.finding import FindingKind
from alerts.lifecycle import AlertState
from navigate_safer.people.access import Permission
from navigate_safer.web import auth, create_app

# What anybody may ask for without signing in, and why.
PUBLIC = {
    "auth.sign_in": "the door itself",
    "public.health": "for whatever watches the service; one sentence a part, no case data",
    "public.live": "for whatever restarts the process",
    "public.metrics": "behind a token of its own, and not there without one",
    "public.telemetry_schema": "for gateway makers",
    "static": "scripts and styles",
    "links.look": "behind the secret of the link; shows what the text says and changes nothing",
    "links.acknowledge": "behind the secret of the link; works once",
    "twilio.status": "signed by Twilio",
    "twilio.reply": "signed by Twilio",
    "twilio.call_status": "signed by Twilio",
    "twilio.key": "signed by Twilio",
    "notify.status": "with the token that Notify was given",
    "notify.reply": "with the token that Notify was given",
}
# ok: the page. to: sent on to another page. bad: the form is refused, its sender is not.
ANSWERS = {"ok": 200, "to": 302, "bad": 422, "no": 403, "none": 204, "gone": 404}
TABLE = """
                                   duty manager facilitator idva access supervisor auditor admin
GET  /                             to   to      to          to   to     to         to      to
POST /sign-out                     to   to      to          to   to     to         to      to
GET  /board                        ok   ok      no          ok   no     ok         no      no
GET  /board/fragment               ok   ok      no          ok   no     ok         no      no
GET  /a/ALERT                      to   to      to          to   to     to         to      to
GET  /alerts/ALERT                 ok   ok      no          ok   no     ok         no      no
POST /alerts/ALERT/acknowledge     to   to      no          no   no     to         no      no
POST /alerts/ALERT/note            bad  bad     no          no   no     bad        no      no
POST /alerts/ALERT/resolve         bad  bad     no          no   no     bad        no      no
POST /alerts/ALERT/reopen          bad  bad     no          no   no     bad        no      no
GET  /alerts/ALERT/map.json        ok   ok      no          no   no     ok         no      no
GET  /alerts/ALERT/alcohol.json    ok   ok      no          no   no     ok         no      no
GET  /alerts/ALERT/probability.json ok  ok      no          no   no     ok         no      no
GET  /caseload                     ok   ok      ok          ok   ok     ok         no      no
GET  /people/PERSON                ok   ok      ok          ok   ok     ok         no      no
GET  /people/PERSON/map.json       ok   ok      no          no   no     ok         no      no
GET  /people/PERSON/alcohol.json   ok   ok      no          no   no     ok         no      no
GET  /people/PERSON/commands       ok   ok      no          no   no     ok         no      no
GET  /people/PERSON/commands.json  ok   ok      no          no   no     ok         no      no
POST /people/PERSON/commands/ask   bad  bad     no          no   no     bad        no      no
GET  /today                        ok   ok      ok          ok   ok     ok         no      no
GET  /people/PERSON/timeline       ok   ok      ok          ok   ok     ok         no      no
GET  /cohort                            ok    ok    ok    ok    ok    ok    no    no
GET  /cohort/settings                   ok    ok    ok    ok    ok    ok    no    no
POST /cohort/settings                   no    no    no    no    no    bad   no    no
GET  /cohort/teams                      ok    ok    ok    ok    ok    ok    no    no
POST /cohort/teams                      no    no    no    no    no    bad   no    no
GET  /people/PERSON/close               no    ok    no    no    no    ok    no    no
POST /people/PERSON/close               no    bad   no    no    no    bad   no    no
GET  /people/PERSON/reopen              no    gone  no    no    no    gone  no    no
POST /people/PERSON/reopen              no    gone  no    no    no    gone  no    no
GET  /people/PERSON/cohort              ok    ok    ok    ok    ok    ok    no    no
GET  /people/PERSON/cohort/rag          no    ok    no    no    no    ok    no    no
POST /people/PERSON/cohort/rag          no    bad   no    no    no    bad   no    no
GET  /people/PERSON/cohort/panel        no    ok    no    no    no    ok    no    no
POST /people/PERSON/cohort/panel        no    bad   no    no    no    bad   no    no
GET  /people/PERSON/cohort/leads        no    ok    no    no    no    ok    no    no
POST /people/PERSON/cohort/leads        no    bad   no    no    no    bad   no    no
GET  /people/PERSON/cohort/flags        no    ok    no    no    no    ok    no    no
POST /people/PERSON/cohort/flags        no    bad   no    no    no    bad   no    no
GET  /people/PERSON/cohort/event        no    ok    no    ok    ok    ok    no    no
POST /people/PERSON/cohort/event        no    bad   no    bad   bad   bad   no    no
GET  /people/PERSON/cohort/safety-check no    no    no    ok    no    no    no    no
POST /people/PERSON/cohort/safety-check no    no    no    bad   no    no    no    no
GET  /plans                             ok    ok    ok    ok    ok    ok    no    no
GET  /people/PERSON/plan                ok    ok    ok    ok    ok    ok    no    no
GET  /people/PERSON/plan/agreement.pdf  gone  gone  gone  gone  gone  gone  no    no
GET  /people/PERSON/plan/details        no    ok    no    no    no    ok    no    no
POST /people/PERSON/plan/details        no    bad   no    no    no    bad   no    no
GET  /people/PERSON/plan/offer          no    ok    no    no    no    ok    no    no
POST /people/PERSON/plan/offer          no    bad   no    no    no    bad   no    no
GET  /people/PERSON/plan/contact        no    ok    no    no    no    ok    no    no
POST /people/PERSON/plan/contact        no    bad   no    no    no    bad   no    no
GET  /people/PERSON/plan/trigger        no    ok    no    no    no    ok    no    no
POST /people/PERSON/plan/trigger        no    bad   no    no    no    bad   no    no
GET  /people/PERSON/plan/unmanaged      no    ok    no    no    no    ok    no    no
POST /people/PERSON/plan/unmanaged      no    bad   no    no    no    bad   no    no
GET  /people/PERSON/plan/agreement      no    ok    no    no    no    ok    no    no
POST /people/PERSON/plan/agreement      no    bad   no    no    no    bad   no    no
GET  /people/PERSON/plan/goal           no    gone  no    no    no    gone  no    no
POST /people/PERSON/plan/goal           no    gone  no    no    no    gone  no    no
GET  /people/PERSON/plan/step           no    gone  no    no    no    gone  no    no
POST /people/PERSON/plan/step           no    gone  no    no    no    gone  no    no
POST /people/PERSON/plan/end            no    gone  no    no    no    gone  no    no
GET  /people/PERSON/plan/triggers/CLOCK no    ok    no    no    no    ok    no    no
POST /people/PERSON/plan/triggers/CLOCK no    bad   no    no    no    bad   no    no
GET  /people/PERSON/orders         ok   ok      ok          ok   ok     ok         no      no
GET  /people/PERSON/orders/new     no   ok      no          no   no     ok         no      no
POST /people/PERSON/orders/new     no   bad     no          no   no     bad        no      no
GET  /people/PERSON/orders/ORDER   ok   ok      ok          ok   ok     ok         no      no
GET  /people/PERSON/orders/ORDER/vary no ok     no          no   no     ok         no      no
POST /people/PERSON/orders/ORDER/vary no bad    no          no   no     bad        no      no
GET  /people/PERSON/orders/ORDER/end  no ok     no          no   no     ok         no      no
POST /people/PERSON/orders/ORDER/end  no bad    no          no   no     bad        no      no
POST /people/PERSON/orders/ORDER/seen no to     no          no   no     to         no      no
GET  /people/PERSON/orders/ORDER/clauses/new no ok no       no   no     ok         no      no
POST /people/PERSON/orders/ORDER/clauses/new no bad no      no   no     bad        no      no
GET  /people/PERSON/orders/ORDER/clauses/1 no ok no         no   no     ok         no      no
POST /people/PERSON/orders/ORDER/clauses/1 no bad no        no   no     bad        no      no
GET  /people/PERSON/orders/ORDER/clauses/1/end no ok no     no   no     ok         no      no
POST /people/PERSON/orders/ORDER/clauses/1/end no bad no    no   no     bad        no      no
GET  /people/PERSON/enforcement    ok   ok      ok          ok   ok     ok         no      no
GET  /people/PERSON/enforcement/report no ok    no          no   no     ok         no      no
POST /people/PERSON/enforcement/report no bad   no          no   no     bad        no      no
POST /people/PERSON/enforcement/notices no bad  no          no   no     bad        no      no
GET  /failures/FAILURE             ok   ok      ok          ok   ok     ok         no      no
POST /failures/FAILURE/decide      no   bad     no          no   no     bad        no      no
POST /failures/FAILURE/letter      no   bad     no          no   no     bad        no      no
GET  /failures/FAILURE/letter.pdf  no   ok      no          no   no     ok         no      no
POST /failures/FAILURE/reply       no   bad     no          no   no     bad        no      no
POST /failures/FAILURE/refer       no   bad     no          no   no     bad        no      no
POST /failures/FAILURE/close       no   bad     no          no   no     bad        no      no
GET  /breaches/BREACH              ok   ok      ok          ok   ok     ok         no      no
POST /breaches/BREACH/sign         no   bad     no          no   no     bad        no      no
POST /breaches/BREACH/outcome      no   bad     no          no   no     bad        no      no
GET  /breaches/BREACH/pack.pdf     no   ok      no          no   no     ok         no      no
POST /notices/NOTICE/seen          no   to      no          no   no     to         no      no
POST /notices/NOTICE/heard         no   bad     no          no   no     bad        no      no
GET  /people/PERSON/safety-checks  ok   ok      ok          ok   ok     ok         no      no
POST /people/PERSON/safety-checks  no   bad     no          no   no     bad        no      no
GET  /victims                      no   no      no          ok   no     no         no      no
GET  /victims/V-1                  no   no      no          ok   no     no         no      no
POST /victims/V-1/contact          no   no      no          bad  no     no         no      no
POST /victims/V-1/disclosure       no   no      no          bad  no     no         no      no
POST /victims/V-1/details          no   no      no          bad  no     no         no      no
GET  /victims/new                  no   no      no          ok   no     no         no      no
POST /victims/new                  no   no      no          bad  no     no         no      no
POST /victims/V-1/link             no   no      no          bad  no     no         no      no
POST /victims/V-1/unlink           no   no      no          bad  no     no         no      no
POST /victims/checks/CHECK/answer  no   no      no          bad  no     no         no      no
GET  /protection/ALERT gone no      no          gone no     gone       no      no
POST /protection/ALERT/acknowledge to   no      no          gone no     to         no      no
POST /protection/ALERT/note gone no      no          gone no     gone       no      no
POST /protection/ALERT/resolve gone no      no          gone no     gone       no      no
POST /protection/ALERT/reopen gone no      no          gone no     gone       no      no
GET  /help/statements              ok   ok      ok          ok   ok     ok         ok      ok
GET  /intake                       no   no      no          no   ok     ok         no      no
GET  /intake/new                   no   no      no          no   ok     ok         no      no
POST /intake/new                   no   no      no          no   bad    bad        no      no
GET  /intake/referrals/REFERRAL    no   no      no          no   ok     ok         no      no
POST /intake/referrals/REFERRAL/decide no no    no          no   bad    bad        no      no
GET  /intake/report                no   no      no          no   ok     ok         no      no
GET  /intake/settings              no   no      no          no   ok     ok         no      no
POST /intake/settings              no   no      no          no   no     bad        no      no
GET  /people/PERSON/referrals      ok   ok      ok          ok   ok     ok         no      no
POST /people/PERSON/referrals/ARRIVAL/read no gone no       no   no     gone       no      no
GET  /people/PERSON/assessments    ok   ok      ok          ok   ok     ok         no      no
GET  /people/PERSON/assessments/dash/V-1 no ok  no          ok   ok     ok         no      no
POST /people/PERSON/assessments/dash/V-1 no bad no          bad  bad    bad        no      no
POST /people/PERSON/assessments/dash/V-1/close no bad no    bad  bad    bad        no      no
GET  /people/PERSON/assessments/needs    no ok  no          ok   ok     ok         no      no
POST /people/PERSON/assessments/needs    no bad no          bad  bad    bad        no      no
GET  /people/PERSON/assessments/rating   no ok  no          ok   ok     ok         no      no
POST /people/PERSON/assessments/rating   no bad no          bad  bad    bad        no      no
GET  /people/PERSON/assessments/band     no ok  no          ok   ok     ok         no      no
POST /people/PERSON/assessments/band     no bad no          bad  bad    bad        no      no
GET  /people/PERSON/assessments/rfgv     no ok  no          ok   ok     ok         no      no
POST /people/PERSON/assessments/rfgv     no bad no          bad  bad    bad        no      no
GET  /assessments/weights          ok   ok      ok          ok   ok     ok         no      no
POST /assessments/weights          no   no      no          no   no     bad        no      no
GET  /assessments/overrides        no   ok      no          ok   ok     ok         no      no
GET  /hub                          no   ok      no          no   ok     ok         no      no
GET  /hub/imports/EXTRACT          no   ok      no          no   ok     ok         no      no
POST /hub/extracts                 no   no      no          no   bad    bad        no      no
GET  /hub/sources/courts           no   ok      no          no   ok     ok         no      no
POST /hub/sources/courts           no   no      no          no   bad    bad        no      no
GET  /people/PERSON/partners       no   ok      no          no   ok     ok         no      no
POST /people/PERSON/partners       no   bad     no          no   bad    bad        no      no
GET  /meetings                     no   ok      no          ok   ok     ok         no      no
GET  /meetings/new                 no   ok      no          ok   ok     ok         no      no
POST /meetings/new                 no   bad     no          bad  bad    bad        no      no
GET  /meetings/MEETING             no   ok      no          ok   ok     ok         no      no
GET  /meetings/items/HEARING       no   to      no          to   to     to         no      no
GET  /meetings/actions/ACTION      no   to      no          to   to     to         no      no
POST /meetings/MEETING/agenda      no   bad     no          bad  bad    bad        no      no
POST /meetings/MEETING/minutes     no   bad     no          bad  bad    bad        no      no
POST /meetings/MEETING/actions     no   bad     no          bad  bad    bad        no      no
POST /meetings/actions/ACTION/done no   bad     no          bad  bad    bad        no      no
GET  /menu                         ok   ok      ok          ok   ok     ok         no      no
GET  /menu/new                     no   no      no          no   no     ok         no      no
POST /menu/new                     no   no      no          no   no     bad        no      no
POST /menu/shipped/take            no   no      no          no   no     bad        no      no
GET  /menu/OFFER                   ok   ok      ok          ok   ok     ok         no      no
GET  /menu/OFFER/change            no   no      no          no   no     ok         no      no
POST /menu/OFFER/change            no   no      no          no   no     bad        no      no
GET  /menu/requests/ASKED          ok   ok      ok          ok   ok     ok         no      no
POST /menu/requests/ASKED          no   bad     bad         no   no     bad        no      no
GET  /people/PERSON/interventions  ok   ok      ok          ok   ok     ok         no      no
POST /people/PERSON/interventions  no   bad     bad         no   no     bad        no      no
GET  /groups                       ok   ok      ok          ok   ok     ok         no      no
GET  /groups/new                   no   ok      ok          no   no     ok         no      no
POST /groups/new                   no   bad     bad         no   no     bad        no      no
GET  /groups/GROUP                 ok   ok      ok          ok   ok     ok         no      no
GET  /groups/GROUP/change          no   ok      ok          no   no     ok         no      no
POST /groups/GROUP/change          no   bad     bad         no   no     bad        no      no
POST /groups/GROUP/join            no   bad     bad         no   no     bad        no      no
POST /groups/GROUP/leave           no   bad     bad         no   no     bad        no      no
GET  /groups/sessions/CLASS        to   to      to          to   to     to         no      no
GET  /groups/GROUP/sessions/1/register ok ok    ok          ok   ok     ok         no      no
POST /groups/GROUP/sessions/1/register no bad   bad         no   no     bad        no      no
POST /groups/GROUP/sessions/1/move no   bad     bad         no   no     bad        no      no
GET  /people/PERSON/sessions       ok   ok      ok          ok   ok     ok         no      no
POST /people/PERSON/sessions       no   bad     bad         no   no     bad        no      no
POST /people/PERSON/sessions/rar   no   bad     bad         no   no     bad        no      no
POST /people/PERSON/sessions/measure no bad     bad         no   no     bad        no      no
GET  /sessions/SESSION             ok   ok      ok          ok   ok     ok         no      no
POST /sessions/SESSION             no   bad     bad         no   no     bad        no      no
POST /sessions/SESSION/answer      no   bad     no          no   no     bad        no      no
GET  /capacity                     no   ok      no          no   no     ok         no      no
GET  /capacity/1/limits            no   no      no          no   no     ok         no      no
POST /capacity/1/limits            no   no      no          no   no     bad        no      no
GET  /people/PERSON/messages       ok   ok      no          no   no     ok         no      no
POST /people/PERSON/messages/number  no bad     no          no   no     bad        no      no
POST /people/PERSON/messages/code    no bad     no          no   no     bad        no      no
POST /people/PERSON/messages/verify  no bad     no          no   no     bad        no      no
POST /people/PERSON/messages/confirm no bad     no          no   no     bad        no      no
POST /people/PERSON/messages/remove  no to      no          no   no     to         no      no
GET  /wearer-messages              no   no      no          no   no     ok         no      no
GET  /wearer-messages/1            no   no      no          no   no     ok         no      no
POST /wearer-messages/1            no   no      no          no   no     bad        no      no
GET  /zones                        ok   ok      no          no   no     ok         no      no
GET  /zones/draw                   no   ok      no          no   no     ok         no      no
POST /zones/draw/save              no   bad     no          no   no     bad        no      no
POST /zones/files/take-in          no   bad     no          no   no     bad        no      no
GET  /zones/download.kml           ok   ok      no          no   no     ok         no      no
GET  /zones/Z-CROSS                ok   ok      no          no   no     ok         no      no
GET  /zones/Z-CROSS/change         no   ok      no          no   no     ok         no      no
GET  /zones/Z-CROSS/map.json       ok   ok      no          no   no     ok         no      no
GET  /people/PERSON/exceptions     ok   ok      no          no   no     ok         no      no
POST /people/PERSON/exceptions/allow     no bad no          no   no     bad        no      no
POST /people/PERSON/exceptions/1/revoke  no bad no          no   no     bad        no      no
GET  /map/style.json               ok   ok      no          no   no     ok         no      no
GET  /map/tiles/1/2/3              none none    no          no   no     none       no      no
GET  /map/wards.geojson            ok   ok      no          no   no     ok         no      no
GET  /near                         ok   ok      no          no   no     ok         no      no
POST /near/ask                     bad  bad     no          no   no     bad        no      no
GET  /near/answers/QUESTION        gone gone  no          no   no     gone      no      no
GET  /near/answers/QUESTION/map.json gone gone  no          no   no     gone      no      no
GET  /outcomes                     no   ok      no          no   ok     ok         ok      no
GET  /outcomes/survival.json       no   ok      no          no   ok     ok         ok      no
GET  /outcomes/framework           no   ok      no          no   ok     ok         ok      no
GET  /outcomes/pack.pdf            no   ok      no          no   ok     ok         ok      no
GET  /outcomes/pack.xlsx           no   ok      no          no   ok     ok         ok      no
GET  /outcomes/pack                no   ok      no          no   ok     ok         ok      no
GET  /outcomes/cost                no   ok      no          no   no     ok         no      no
GET  /outcomes/cost/COST           no   ok      no          no   no     ok         no      no
POST /outcomes/cost/COST           no   no      no          no   no     bad        no      no
POST /outcomes/cost/COST/remove    no   no      no          no   no     bad        no      no
GET  /outcomes/harm                no   ok      no          no   no     ok         no      no
POST /outcomes/harm                no   no      no          no   no     bad        no      no
GET  /outcomes/behind/FIGURE       no   ok      no          no   no     ok         no      no
GET  /service                      no   no      no          no   no     ok         no      ok
GET  /service/quarantine           no   no      no          no   no     ok         no      ok
POST /service/quarantine/try-again no   no      no          no   no     to         no      to
GET  /service/quarantine/ENTRY     no   no      no          no   no     ok         no      ok
POST /service/quarantine/ENTRY/try-again no no  no          no   no     to         no      to
POST /service/quarantine/ENTRY/correct   no no  no          no   no     bad        no      bad
POST /service/quarantine/ENTRY/set-aside no no  no          no   no     bad        no      bad
GET  /service/alerts/FAULT         ok   no      no          no   no     ok         no      ok
POST /service/alerts/FAULT/acknowledge to no    no          no   no     to         no      to
POST /service/alerts/FAULT/note    bad  no      no          no   no     bad        no      bad
POST /service/alerts/FAULT/resolve bad  no      no          no   no     bad        no      bad
GET  /protection/ALERT             gone no      no          gone no     gone       no      no
POST /protection/ALERT/acknowledge to   no      no          gone no     to         no      no
POST /protection/ALERT/note        gone no      no          gone no     gone       no      no
POST /protection/ALERT/resolve     gone no      no          gone no     gone       no      no
GET  /silences                     ok   ok      no          no   no     ok         no      no
POST /silences                     bad  bad     no          no   no     bad        no      no
GET  /silences/HUSH                ok   ok      no          no   no     ok         no      no
POST /silences/HUSH/approve        to   to      no          no   no     to         no      no
POST /silences/HUSH/end            to   to      no          no   no     to         no      no
GET  /policies                     no   no      no          no   no     ok         no      no
GET  /policies/new                 no   no      no          no   no     ok         no      no
POST /policies/new                 no   no      no          no   no     bad        no      no
GET  /policies/POLICY              no   no      no          no   no     ok         no      no
POST /policies/POLICY              no   no      no          no   no     bad        no      no
POST /policies/POLICY/deactivate   no   no      no          no   no     bad        no      no
GET  /rotas                        ok   ok      no          no   no     ok         no      no
GET  /rotas/new                    no   no      no          no   no     ok         no      no
POST /rotas/new                    no   no      no          no   no     bad        no      no
GET  /rotas/ROTA                   ok   ok      no          no   no     ok         no      no
GET  /rotas/ROTA.ics               ok   ok      no          no   no     ok         no      no
GET  /rotas/ROTA/layers            no   no      no          no   no     ok         no      no
POST /rotas/ROTA/layers            no   no      no          no   no     bad        no      no
POST /rotas/ROTA/override          no   no      no          no   no     bad        no      no
POST /rotas/ROTA/swap              bad  bad     no          no   no     bad        no      no
POST /rotas/ROTA/calendar          no   no      no          no   no     bad        no      no
POST /rotas/ROTA/changes/1/agree   gone gone    no          no   no     gone       no      no
POST /rotas/ROTA/changes/1/cancel  gone gone    no          no   no     gone       no      no
POST /alerts/ALERT/step            gone gone    no          gone no     gone       no      no
POST /alerts/ALERT/step/undo       gone gone    no          gone no     gone       no      no
GET  /account                      ok   ok      ok          ok   ok     ok         ok      ok
POST /account/ask                  bad  bad     bad         bad  bad    bad        bad     bad
POST /account/verify               bad  bad     bad         bad  bad    bad        bad     bad
GET  /burden                       no   no      no          no   no     ok         no      no
GET  /audit                        no   no      no          no   no     ok         ok      no
"""
# What stands in the addresses of orders and enforcement.
ENFORCING = {"ORDER": order_of, "FAILURE": failure_of, "BREACH": breach_of, "NOTICE": notice_of}
# Whose records an address of casework names: what it begins with, and the word in the table.
RECORDS = {
    "/menu/requests/": "ASKED",
    "/menu/": "OFFER",
    "/groups/sessions/": "CLASS",
    "/groups/": "GROUP",
    "/sessions/": "SESSION",
    "/intake/referrals/": "REFERRAL",
    "/hub/sources/": "courts",
    "/victims/checks/": "CHECK",
    "/victims/": "V-1",
    "/meetings/items/": "HEARING",
    "/meetings/actions/": "ACTION",
    "/meetings/": "MEETING",
}
OF_CASEWORK = {
    "ASKED": programmes.asked_of,
    "OFFER": programmes.offer_of,
    "CLASS": programmes.class_of,
    "GROUP": programmes.group_of,
    "SESSION": programmes.session_of,
    "REFERRAL": casework.referral_of,
    "EXTRACT": casework.extract_of,
    "CHECK": casework.check_of,
    "HEARING": casework.hearing_of,
    "ACTION": casework.action_of,
    "MEETING": casework.meeting_of,
    "CLOCK": clock_of,
}
# The board reads figures and has its own account: whatever is not here is refused to it.
BOARD = {
    "GET /": "to",
    "POST /sign-out": "to",
    "GET /a/ALERT": "to",
    "GET /outcomes": "ok",
    "GET /outcomes/survival.json": "ok",
    "GET /outcomes/framework": "ok",
    "GET /outcomes/pack": "ok",
    "GET /outcomes/pack.pdf": "ok",
    "GET /outcomes/pack.xlsx": "ok",
    "GET /help/statements": "ok",
    "GET /account": "ok",
    "POST /account/ask": "bad",
    "POST /account/verify": "bad",
}
# The first page of each role.
HOMES = {
    "board": "/outcomes",
    "duty": "/board",
    "manager": "/today",
    "idva": "/board",
    "supervisor": "/board",
    "facilitator": "/caseload",
    "access": "/intake",
    "auditor": "/audit",
    "admin": "/service",
}


class Row(NamedTuple):
    """One route and what each account is answered."""

    method: str
    path: str
    answers: dict[str, int]


def rows() -> list[Row]:
    head, *lines = [line.split() for line in TABLE.strip().splitlines()]
    return [
        Row(
            method,
            path,
            {who: ANSWERS[word] for who, word in zip(head, words, strict=True)}
            | {"board": ANSWERS[BOARD.get(f"{method} {path}", "no")]},
        )
        for method, path, *words in lines
    ]  # fmt: skip


ROWS = rows()
BY_NAME = [pytest.param(row, id=f"{row.method} {row.path}") for row in ROWS]
CASES = [
    pytest.param(row, who, id=f"{who}: {row.method} {row.path}")
    for row in ROWS
    for who in row.answers
]


def address(world: World, path: str, *, alert: str | None = None, person: str = "W-EXC") -> str:
    reference = alert or world.reference(FindingKind.EXCLUSION_BREACH)
    if "FAULT" in path:
        path = path.replace("FAULT", world.fault())
    if "ENTRY" in path:
        path = path.replace("ENTRY", str(world.refused()))
    for word, made in OF_CASEWORK.items():
        if word in path:
            path = path.replace(word, made(world))
    path = path.replace("FIGURE", "before").replace("COST", "unit-cost/arrest")
    for word, made in (("HUSH", silence_of), ("POLICY", policy_of), ("ROTA", rota_of)):
        if word in path:
            path = path.replace(word, made(world))
    for word, made in ENFORCING.items():
        if word in path:
            path = path.replace(word, str(made(world)))
    return path.replace("ALERT", reference).replace("PERSON", person)


def without_a_rule(app: Flask) -> list[str]:
    """Views that name neither a permission nor that they are public."""
    return sorted(
        endpoint
        for endpoint, view in app.view_functions.items()
        if not isinstance(auth.rule_of(view), Permission) and auth.rule_of(view) != auth.PUBLIC
    )


def test_every_view_names_its_rule(shared_world: World) -> None:
    app = shared_world.app
    assert without_a_rule(app) == []
    public = {name for name, view in app.view_functions.items() if auth.rule_of(view) == "public"}
    assert public == set(PUBLIC)


def test_a_view_without_a_rule_is_found_and_refused_to_everybody(world: World) -> None:
    app = create_app(world.service)
    app.add_url_rule("/planted", "planted", lambda: "a name and a number")
    assert without_a_rule(app) == ["planted"]

    world.app = app
    for who in ACCOUNTS:
        answer = world.visitor(who).get("/planted")
        assert answer.status_code == 403, who
        assert "a name and a number" not in answer.text


def test_the_table_below_has_every_route(shared_world: World) -> None:
    written = {(row.method, row.path.replace("1/2/3", "Z/X/Y")) for row in ROWS}
    served = {
        (method, _written(rule.rule))
        for rule in shared_world.app.url_map.iter_rules()
        if rule.endpoint not in PUBLIC
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert served == written


def _written(rule: str) -> str:
    rule = re.sub(r"<int:z>/<int:x>/<int:y>", "Z/X/Y", rule)
    rule = rule.replace("/silences/<int:number>", "/silences/HUSH")
    rule = rule.replace("/hub/imports/<int:number>", "/hub/imports/EXTRACT")
    rule = rule.replace("/policies/<int:number>", "/policies/POLICY")
    rule = rule.replace("/rotas/<ref>", "/rotas/ROTA")
    rule = rule.replace("<int:entry_id>", "ENTRY").replace("<int:number>", "1")
    rule = rule.replace("<int:order>", "ORDER").replace("<int:key>", "1")
    for kind in ("failures/FAILURE", "breaches/BREACH", "notices/NOTICE"):
        rule = rule.replace(f"/{kind.split('/')[0]}/<ref>", f"/{kind}")
    rule = rule.replace("<victim>", "V-1")
    for begins, word in RECORDS.items():
        if rule.startswith(begins):
            rule = rule.replace("<ref>", word)
    rule = rule.replace("<figure>", "FIGURE").replace("<kind>/<entry>", "COST")
    rule = rule.replace("/service/alerts/<reference>", "/service/alerts/FAULT")
    rule = rule.replace("/zones/<ref>", "/zones/Z-CROSS").replace("<form>", "kml")
    return (
        rule.replace("<reference>", "ALERT")
        .replace("<ref>", "PERSON")
        .replace("<name>", "QUESTION")
        .replace("<record>", "CLOCK")
        .replace("<came_in>", "ARRIVAL")
    )


@pytest.mark.parametrize(("row", "who"), CASES)
def test_each_role_gets_what_its_work_needs_and_no_more(
    shared_world: World, row: Row, who: str
) -> None:
    visitor = shared_world.visitor(who)
    path = address(shared_world, row.path)
    answer = visitor.get(path) if row.method == "GET" else visitor.post(path)
    assert answer.status_code == row.answers[who]


@pytest.mark.parametrize(("who", "path"), HOMES.items())
def test_each_role_has_a_first_page_that_it_may_see(
    shared_world: World, who: str, path: str
) -> None:
    visitor = shared_world.visitor(who)
    assert visitor.get("/").location == path
    assert visitor.get(path).status_code == 200


@pytest.mark.parametrize("row", BY_NAME)
def test_nobody_gets_in_without_signing_in(shared_world: World, row: Row) -> None:
    visitor = shared_world.visitor()
    path = address(shared_world, row.path)
    answer = visitor.get(path) if row.method == "GET" else visitor.post(path)
    if row.method == "GET" and not re.search(r"\.(geo)?json$|/fragment$", path):
        assert (answer.status_code, answer.location) == (302, f"/sign-in?next={path}")
    else:
        assert answer.status_code == 401
    assert "Umbershaw" not in answer.text


OF_ONE_CASE = [each for each in BY_NAME if "ALERT" in each.id or "PERSON" in each.id]
# A short link is sent on before anybody looks whether there is such an alert.
OF_ONE_CASE = [each for each in OF_ONE_CASE if "/a/" not in each.id]


@pytest.mark.parametrize("row", OF_ONE_CASE)
def test_cases_of_another_area_are_like_cases_that_do_not_exist(
    shared_world: World, row: Row
) -> None:
    elsewhere = shared_world.reference(FindingKind.EXCLUSION_BREACH, "W-EAST")
    filled = {"note": "seen", "outcome": "false_alarm"} if row.method == "POST" else {}

    # Where a supervisor may not go at all, somebody who may.
    who = next(each for each in ("supervisor", "idva") if row.answers[each] != 403)

    def answer_to(alert: str, person: str):
        visitor = shared_world.visitor(who)
        path = address(shared_world, row.path, alert=alert, person=person)
        if row.method == "POST":
            return visitor.post(path, **filled)
        return visitor.get(path)

    for _ in range(3):
        of_the_east, of_nobody = answer_to(elsewhere, "W-EAST"), answer_to("ZZZZZZ", "W-NONE")
        # The banner about the service may change between the two; what they say does not.
        if plain(of_the_east) == plain(of_nobody):
            break
    assert of_the_east.status_code == of_nobody.status_code == 404
    assert plain(of_the_east) == plain(of_nobody)
    assert shared_world.alert(elsewhere).state == AlertState.OPEN.value


def test_lists_show_nothing_of_another_area(shared_world: World) -> None:
    for path in ("/board", "/caseload", "/caseload?search=W-EAST"):
        west = shared_world.visitor("supervisor").get(path).text
        assert "Haslington" not in west
        assert "Wystan" not in west
    east = shared_world.visitor("duty-east").get("/board").text
    assert "Haslington" in east
    assert "Umbershaw" not in east


@pytest.mark.parametrize("row", [each for each in BY_NAME if each.id.startswith("POST")])
def test_a_form_without_its_token_is_refused_and_changes_nothing(world: World, row: Row) -> None:
    visitor = world.visitor("duty")
    path = address(world, row.path)
    answer = visitor.post(path, token=False, note="seen", outcome="false_alarm")
    assert answer.status_code == 400
    assert world.alert(world.reference(FindingKind.EXCLUSION_BREACH)).state == "open"
    assert visitor.get("/board").status_code == 200, "still signed in"


def test_a_sign_in_without_its_token_is_refused(world: World) -> None:
    visitor = world.visitor()
    assert visitor.post("/sign-in", token=False, account="duty").status_code == 400


@pytest.mark.parametrize("row", BY_NAME)
def test_an_address_takes_only_its_own_methods(shared_world: World, row: Row) -> None:
    client, path = shared_world.visitor("supervisor").client, address(shared_world, row.path)
    others = {"GET", "POST", "PUT", "PATCH", "DELETE"}
    others -= {each.method for each in ROWS if each.path == row.path}
    answers = {method: client.open(path, method=method).status_code for method in others}
    assert set(answers.values()) == {405}, answers


def test_a_change_of_role_works_at_the_next_request(world: World) -> None:
    from navigate_safer.db.people import StaffRow

    visitor = world.visitor("duty")
    assert visitor.get("/board").status_code == 200
    with world.database.sessions.begin() as session:
        staff = session.get(StaffRow, world.database.one(StaffRow, StaffRow.ref == "duty").id)
        staff.role = "programme_facilitator"
    assert visitor.get("/board").status_code == 403


def test_an_unknown_address_and_a_fault_have_pages_of_their_own(world: World) -> None:
    visitor = world.visitor("duty")
    missing = visitor.get("/people/W-EXC/diary")
    assert missing.status_code == 404
    assert "Page not found" in missing.text
    assert "Signed in as" in missing.text
    assert "Signed in as" not in world.visitor().get("/people/W-EXC/diary").text

    def broken() -> str:
        raise RuntimeError(f"at {HOME.lat}, {HOME.lon}")

    world.app.view_functions["board.board"] = auth.rule(Permission.SEE_BOARD)(broken)
    fault = visitor.get("/board")
    assert fault.status_code == 500
    assert "fault in the service" in fault.text
    assert str(HOME.lat) not in fault.text
    assert "Traceback" not in fault.text
