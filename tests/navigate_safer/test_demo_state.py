"""What the demonstration keeps from one start to the next."""

import msgspec

from navigate_safer.demo import run
from navigate_safer.demo.run import State


def test_its_logs_are_signed_with_a_key_that_nobody_else_can_read_and_the_next_start_has_too(
    tmp_path,
):
    first = run.prepare(tmp_path, speed=1.0, port=0, mqtt_port=0, base={})
    again = run.prepare(tmp_path, speed=1.0, port=0, mqtt_port=0, base={})
    assert first.settings.audit_keys == again.settings.audit_keys
    assert len(first.settings.audit_keys) == 1
    path = tmp_path / run.STATE
    assert path.stat().st_mode & 0o077 == 0
    # Begun by a version that had none: it starts, and is not signed.
    state = msgspec.json.decode(path.read_bytes(), type=State)
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(state, audit_key="")))
    older = run.prepare(tmp_path, speed=1.0, port=0, mqtt_port=0, base={})
    assert older.settings.audit_keys == ()
