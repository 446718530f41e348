"""Our Twilio client and our stand-in for Twilio, each held to one description of the API.

The description is ours, written from Twilio's public reference; Prism from npm serves it as a mock,
which refuses what is not as described, and as a proxy before the stand-in.
"""

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from absent import absent
from fake_twilio import ACCOUNT_SID, AUTH_TOKEN, FROM_NUMBER, FakeTwilio

from alerts.delivery import DeliveryStatus, Fault, OutgoingText, SendError
from alerts.messages import breach_call, breach_text
from alerts.policy import Channel
from alerts.senders.twilio_sms import TwilioSms
from alerts.senders.twilio_voice import TwilioVoice
from navigate_safer.demo import text_provider

FOLDER = Path(__file__).parent.parent / "twilio_contract"
NOW = datetime(2026, 11, 21, 22, 40, 7, tzinfo=UTC)
OFFICER, REFERENCE = "+447700900142", "7KQ4M2"
SITE = "https://safer.example.gov.uk"
INSTALL_WITHIN_S, START_WITHIN_S = 240, 60
ACCOUNT = {"account_sid": ACCOUNT_SID, "auth_token": AUTH_TOKEN, "from_number": FROM_NUMBER}

TEXT = OutgoingText(
    attempt_id="a-1",
    to=OFFICER,
    body=breach_text(
        reference=REFERENCE, word="URGENT", code="482913", link=f"{SITE}/a/{REFERENCE}"
    ),
    reference=REFERENCE,
    validity_period_s=120,
    status_callback=f"{SITE}/twilio/status/a-1",
)
CALL = OutgoingText(
    attempt_id="a-2",
    to=OFFICER,
    body=breach_call(reference=REFERENCE, word="URGENT"),
    reference=REFERENCE,
    validity_period_s=120,
    channel=Channel.VOICE,
    status_callback=f"{SITE}/twilio/voice/status/a-2",
    answer_url=f"{SITE}/twilio/voice/key/a-2",
)


@pytest.fixture(scope="module")
def prism() -> Path:
    """The program, installed from its lock file."""
    program = FOLDER / "node_modules" / ".bin" / "prism"
    if not program.exists():
        npm = shutil.which("npm")
        if npm is None:
            absent("npm")
        install = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
        done = subprocess.run(
            install, cwd=FOLDER, capture_output=True, timeout=INSTALL_WITHIN_S, check=False
        )
        if done.returncode != 0:
            absent("Prism (npm could not install it)")
    return program


@contextlib.contextmanager
def serving(prism: Path, *how: str) -> Iterator[str]:
    """Prism on a free port; its address once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(prism), how[0], "-p", str(port), "-h", "127.0.0.1", "--errors"]
    if how[0] == "mock":
        command.remove("--errors")
    server = subprocess.Popen(
        [*command, str(FOLDER / "twilio.yaml"), *how[1:]],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        ends = time.monotonic() + START_WITHIN_S
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert server.poll() is None, "Prism ended; is twilio.yaml valid?"
            assert time.monotonic() < ends, "Prism did not come up"
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture(scope="module")
def mock(prism: Path) -> Iterator[str]:
    with serving(prism, "mock") as url:
        yield url


def test_a_text_is_asked_for_as_described(mock):
    accepted = TwilioSms(**ACCOUNT, base_url=mock).send(TEXT)
    assert accepted.provider_id.startswith("SM")
    assert accepted.status is DeliveryStatus.QUEUED


def test_a_lost_text_is_looked_for_as_described(mock):
    """What the mock lists is no text of ours; a request that it refused would have raised."""
    assert (
        TwilioSms(**ACCOUNT, base_url=mock).find(to=OFFICER, reference="482913", since=NOW) is None
    )


def test_a_call_is_asked_for_as_described(mock):
    accepted = TwilioVoice(**ACCOUNT, base_url=mock).send(CALL)
    assert accepted.provider_id.startswith("CA")


def test_the_mock_does_refuse_what_is_not_as_described(mock):
    """Or the tests above could not fail."""
    wrong = {**ACCOUNT, "account_sid": "not-an-account"}
    with pytest.raises(SendError) as caught:
        TwilioSms(**wrong, base_url=mock).send(TEXT)
    assert caught.value.fault is Fault.CONTENT_REFUSED


def test_our_stand_in_answers_as_described(prism):
    with FakeTwilio(lambda: NOW) as fake, serving(prism, "proxy", fake.base_url) as url:
        sender = TwilioSms(**ACCOUNT, base_url=url)
        accepted = sender.send(TEXT)
        assert sender.find(to=OFFICER, reference="482913", since=NOW) == accepted
        assert [each.sid for each in fake.messages] == [accepted.provider_id]
        assert fake.complaints == []


def test_the_stand_in_of_the_fault_runs_answers_as_described(prism):
    account = {
        "account_sid": text_provider.ACCOUNT_SID,
        "auth_token": text_provider.AUTH_TOKEN,
        "from_number": text_provider.FROM_NUMBER,
    }
    with (
        text_provider.TextProvider(lambda: NOW, slow_s=0.0, hangs_s=0.0) as provider,
        serving(prism, "proxy", provider.url) as url,
    ):
        sender = TwilioSms(**account, base_url=url)
        accepted = sender.send(TEXT)
        assert sender.find(to=OFFICER, reference="482913", since=NOW) == accepted
        assert [each.sid for each in provider.taken] == [accepted.provider_id]
        assert provider.complaints == []
