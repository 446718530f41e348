"""first tables

Revision ID: 0001
Revises:

Rules: works with the previous release; no long lock (PostgreSQL lock_timeout is 5 s); a column
is removed in two releases; reversible, or the downgrade says why not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# What happened stays as it was written: the database refuses to change or to delete a row.
APPEND_ONLY = ("audit_entries", "alert_history", "episode_history")


def upgrade() -> None:
    op.create_table(
        "areas",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_areas")),
        sa.UniqueConstraint("ref", name=op.f("uq_areas_ref")),
    )
    op.create_table(
        "gateways",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=True),
        sa.Column("status_at", AT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateways")),
        sa.UniqueConstraint("ref", name=op.f("uq_gateways_ref")),
    )
    op.create_table(
        "heartbeats",
        sa.Column("worker", sa.String(length=40), nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.Column("connected_since", AT, nullable=True),
        sa.Column("fault", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("worker", name=op.f("pk_heartbeats")),
    )
    op.create_table(
        "ingest_batches",
        sa.Column("id", ID, nullable=False),
        sa.Column("received_at", AT, nullable=False),
        sa.Column("committed_at", AT, nullable=True),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("stored", sa.Integer(), nullable=False),
        sa.Column("repeated", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ingest_batches")),
    )
    with op.batch_alter_table("ingest_batches", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_ingest_batches_received_at"), ["received_at"], unique=False
        )

    op.create_table(
        "quarantine",
        sa.Column("id", ID, nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("first_at", AT, nullable=False),
        sa.Column("last_at", AT, nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("topic", sa.String(length=300), nullable=False),
        sa.Column("gateway", sa.String(length=200), nullable=False),
        sa.Column("device", sa.String(length=200), nullable=True),
        sa.Column("reading_index", sa.Integer(), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("payload_bytes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_quarantine_fingerprint")),
    )
    with op.batch_alter_table("quarantine", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_quarantine_last_at"), ["last_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_quarantine_reason"), ["reason"], unique=False)

    op.create_table(
        "sign_ins",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ins")),
    )
    with op.batch_alter_table("sign_ins", schema=None) as batch_op:
        batch_op.create_index("ix_sign_ins_account_at", ["account", "at"], unique=False)

    op.create_table(
        "staff",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=True),
        sa.Column("call_order", sa.Integer(), nullable=False),
        sa.Column("password_hash", sa.String(length=300), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("ref", name=op.f("uq_staff_ref")),
    )
    with op.batch_alter_table("staff", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_staff_phone"), ["phone"], unique=False)

    op.create_table(
        "text_receipts",
        sa.Column("id", ID, nullable=False),
        sa.Column("provider_id", sa.String(length=64), nullable=False),
        sa.Column("attempt_id", sa.String(length=32), nullable=True),
        sa.Column("status", sa.String(length=24), nullable=False),
        sa.Column("error_code", sa.Integer(), nullable=True),
        sa.Column("received_at", AT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_text_receipts")),
        sa.UniqueConstraint(
            "provider_id", "status", name=op.f("uq_text_receipts_provider_id_status")
        ),
    )
    op.create_table(
        "zones",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("geometry", sa.JSON(), nullable=False),
        sa.Column("buffer_m", sa.Float(), nullable=False),
        sa.Column("schedule", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_zones")),
        sa.UniqueConstraint("ref", "version", name=op.f("uq_zones_ref_version")),
    )
    op.create_table(
        "audit_entries",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.Column("act", sa.String(length=20), nullable=False),
        sa.Column("what", sa.String(length=100), nullable=False),
        sa.Column("staff_id", ID, nullable=True),
        sa.Column("actor", sa.String(length=40), nullable=False),
        sa.Column("subject_kind", sa.String(length=40), nullable=False),
        sa.Column("subject_id", ID, nullable=True),
        sa.Column("recipient_id", ID, nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recipient_id"], ["staff.id"], name=op.f("fk_audit_entries_recipient_id_staff")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_audit_entries_staff_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    with op.batch_alter_table("audit_entries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_entries_at"), ["at"], unique=False)
        batch_op.create_index(
            "ix_audit_entries_subject_kind_subject_id", ["subject_kind", "subject_id"], unique=False
        )

    op.create_table(
        "devices",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("gateway_id", ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["gateway_id"], ["gateways.id"], name=op.f("fk_devices_gateway_id_gateways")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_devices")),
        sa.UniqueConstraint("ref", name=op.f("uq_devices_ref")),
    )
    op.create_table(
        "staff_areas",
        sa.Column("staff_id", ID, nullable=False),
        sa.Column("area_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["area_id"], ["areas.id"], name=op.f("fk_staff_areas_area_id_areas")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_staff_areas_staff_id_staff")
        ),
        sa.PrimaryKeyConstraint("staff_id", "area_id", name=op.f("pk_staff_areas")),
    )
    op.create_table(
        "victims",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("area_id", ID, nullable=False),
        sa.Column("address", sa.String(length=300), nullable=True),
        sa.Column("phone", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(["area_id"], ["areas.id"], name=op.f("fk_victims_area_id_areas")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_victims")),
        sa.UniqueConstraint("ref", name=op.f("uq_victims_ref")),
    )
    with op.batch_alter_table("victims", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_victims_area_id"), ["area_id"], unique=False)

    op.create_table(
        "wearers",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("born_on", sa.Date(), nullable=False),
        sa.Column("area_id", ID, nullable=False),
        sa.Column("locality", sa.String(length=200), nullable=False),
        sa.Column("band", sa.String(length=20), nullable=False),
        sa.Column(
            "offender_manager_id",
            ID,
            nullable=True,
        ),
        sa.ForeignKeyConstraint(["area_id"], ["areas.id"], name=op.f("fk_wearers_area_id_areas")),
        sa.ForeignKeyConstraint(
            ["offender_manager_id"], ["staff.id"], name=op.f("fk_wearers_offender_manager_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wearers")),
        sa.UniqueConstraint("ref", name=op.f("uq_wearers_ref")),
    )
    with op.batch_alter_table("wearers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_wearers_area_id"), ["area_id"], unique=False)

    op.create_table(
        "web_sessions",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("staff_id", ID, nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("seen_at", AT, nullable=False),
        sa.Column("ended_at", AT, nullable=True),
        sa.Column("board_digest", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_web_sessions_staff_id_staff")
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_web_sessions")),
    )
    with op.batch_alter_table("web_sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_web_sessions_staff_id"), ["staff_id"], unique=False)

    op.create_table(
        "alcohol_samples",
        sa.Column("tac_ug_dl", sa.Integer(), nullable=False),
        sa.Column("ir_mv", sa.Integer(), nullable=True),
        sa.Column("skin_temp_centi_c", sa.SmallInteger(), nullable=True),
        sa.Column("device_id", ID, nullable=False),
        sa.Column("measured_at", AT, nullable=False),
        sa.Column("variant", sa.SmallInteger(), nullable=False),
        sa.Column("sent_at", AT, nullable=True),
        sa.Column("received_at", AT, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("doubts", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_alcohol_samples_device_id_devices")
        ),
        sa.PrimaryKeyConstraint(
            "device_id", "measured_at", "variant", name=op.f("pk_alcohol_samples")
        ),
    )
    op.create_table(
        "battery_levels",
        sa.Column("permille", sa.SmallInteger(), nullable=False),
        sa.Column("charging", sa.Boolean(), nullable=True),
        sa.Column("device_id", ID, nullable=False),
        sa.Column("measured_at", AT, nullable=False),
        sa.Column("variant", sa.SmallInteger(), nullable=False),
        sa.Column("sent_at", AT, nullable=True),
        sa.Column("received_at", AT, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("doubts", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_battery_levels_device_id_devices")
        ),
        sa.PrimaryKeyConstraint(
            "device_id", "measured_at", "variant", name=op.f("pk_battery_levels")
        ),
    )
    op.create_table(
        "device_events",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("device_id", ID, nullable=False),
        sa.Column("measured_at", AT, nullable=False),
        sa.Column("variant", sa.SmallInteger(), nullable=False),
        sa.Column("sent_at", AT, nullable=True),
        sa.Column("received_at", AT, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("doubts", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_device_events_device_id_devices")
        ),
        sa.PrimaryKeyConstraint(
            "device_id", "measured_at", "variant", name=op.f("pk_device_events")
        ),
    )
    op.create_table(
        "device_latest",
        sa.Column("device_id", ID, nullable=False),
        sa.Column("measured_at", AT, nullable=False),
        sa.Column("received_at", AT, nullable=False),
        sa.Column("fix_at", AT, nullable=True),
        sa.Column("battery_at", AT, nullable=True),
        sa.Column("battery_percent", sa.SmallInteger(), nullable=True),
        sa.Column("charging", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_device_latest_device_id_devices")
        ),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_device_latest")),
    )
    op.create_table(
        "fittings",
        sa.Column("id", ID, nullable=False),
        sa.Column("device_id", ID, nullable=False),
        sa.Column("wearer_id", ID, nullable=False),
        sa.Column("fitted_at", AT, nullable=False),
        sa.Column("removed_at", AT, nullable=True),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_fittings_device_id_devices")
        ),
        sa.ForeignKeyConstraint(
            ["wearer_id"], ["wearers.id"], name=op.f("fk_fittings_wearer_id_wearers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fittings")),
    )
    with op.batch_alter_table("fittings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_fittings_device_id"), ["device_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_fittings_wearer_id"), ["wearer_id"], unique=False)

    op.create_table(
        "fixes",
        sa.Column("lat_e7", sa.Integer(), nullable=False),
        sa.Column("lon_e7", sa.Integer(), nullable=False),
        sa.Column("accuracy_dm", sa.Integer(), nullable=False),
        sa.Column("source", sa.SmallInteger(), nullable=False),
        sa.Column("speed_dkmh", sa.SmallInteger(), nullable=True),
        sa.Column("heading_ddeg", sa.SmallInteger(), nullable=True),
        sa.Column("satellites", sa.SmallInteger(), nullable=True),
        sa.Column("hdop_tenths", sa.SmallInteger(), nullable=True),
        sa.Column("device_id", ID, nullable=False),
        sa.Column("measured_at", AT, nullable=False),
        sa.Column("variant", sa.SmallInteger(), nullable=False),
        sa.Column("sent_at", AT, nullable=True),
        sa.Column("received_at", AT, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("doubts", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_fixes_device_id_devices")
        ),
        sa.PrimaryKeyConstraint("device_id", "measured_at", "variant", name=op.f("pk_fixes")),
    )
    op.create_table(
        "orders",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(length=64), nullable=False),
        sa.Column("wearer_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["wearer_id"], ["wearers.id"], name=op.f("fk_orders_wearer_id_wearers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("ref", name=op.f("uq_orders_ref")),
    )
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_orders_wearer_id"), ["wearer_id"], unique=False)

    op.create_table(
        "pending_judgements",
        sa.Column("id", ID, nullable=False),
        sa.Column("device_id", ID, nullable=False),
        sa.Column("earliest_at", AT, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("not_before", AT, nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_pending_judgements_device_id_devices")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pending_judgements")),
    )
    with op.batch_alter_table("pending_judgements", schema=None) as batch_op:
        batch_op.create_index(
            "ix_pending_judgements_device_id_id", ["device_id", "id"], unique=False
        )

    op.create_table(
        "unassigned_readings",
        sa.Column("device_id", ID, nullable=False),
        sa.Column("first_at", AT, nullable=False),
        sa.Column("last_at", AT, nullable=False),
        sa.Column("readings", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_unassigned_readings_device_id_devices")
        ),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_unassigned_readings")),
    )
    op.create_table(
        "victim_wearers",
        sa.Column("victim_id", ID, nullable=False),
        sa.Column("wearer_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["victim_id"], ["victims.id"], name=op.f("fk_victim_wearers_victim_id_victims")
        ),
        sa.ForeignKeyConstraint(
            ["wearer_id"], ["wearers.id"], name=op.f("fk_victim_wearers_wearer_id_wearers")
        ),
        sa.PrimaryKeyConstraint("victim_id", "wearer_id", name=op.f("pk_victim_wearers")),
    )
    op.create_table(
        "zone_victims",
        sa.Column("zone_id", ID, nullable=False),
        sa.Column("victim_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["victim_id"], ["victims.id"], name=op.f("fk_zone_victims_victim_id_victims")
        ),
        sa.ForeignKeyConstraint(
            ["zone_id"], ["zones.id"], name=op.f("fk_zone_victims_zone_id_zones")
        ),
        sa.PrimaryKeyConstraint("zone_id", "victim_id", name=op.f("pk_zone_victims")),
    )
    op.create_table(
        "conditions",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("order_id", ID, nullable=False),
        sa.Column("clause", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("severity", sa.String(length=20), nullable=False),
        sa.Column("zone_id", ID, nullable=True),
        sa.Column("limits", sa.JSON(), nullable=False),
        sa.Column("from_at", AT, nullable=False),
        sa.Column("until_at", AT, nullable=True),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_conditions_order_id_orders")
        ),
        sa.ForeignKeyConstraint(
            ["zone_id"], ["zones.id"], name=op.f("fk_conditions_zone_id_zones")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conditions")),
        sa.UniqueConstraint("ref", "version", name=op.f("uq_conditions_ref_version")),
    )
    with op.batch_alter_table("conditions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_conditions_order_id"), ["order_id"], unique=False)

    op.create_table(
        "judgement_checkpoints",
        sa.Column("fitting_id", ID, nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.Column("states", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["fitting_id"],
            ["fittings.id"],
            name=op.f("fk_judgement_checkpoints_fitting_id_fittings"),
        ),
        sa.PrimaryKeyConstraint("fitting_id", "at", name=op.f("pk_judgement_checkpoints")),
    )
    op.create_table(
        "judgements",
        sa.Column("fitting_id", ID, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("through", AT, nullable=True),
        sa.Column("states", sa.JSON(), nullable=False),
        sa.Column("check_after", AT, nullable=True),
        sa.ForeignKeyConstraint(
            ["fitting_id"], ["fittings.id"], name=op.f("fk_judgements_fitting_id_fittings")
        ),
        sa.PrimaryKeyConstraint("fitting_id", name=op.f("pk_judgements")),
    )
    with op.batch_alter_table("judgements", schema=None) as batch_op:
        batch_op.create_index(
            "ix_judgements_check_after",
            ["check_after"],
            unique=False,
            postgresql_where=sa.text("check_after is not null"),
            sqlite_where=sa.text("check_after is not null"),
        )

    op.create_table(
        "episodes",
        sa.Column("id", ID, nullable=False),
        sa.Column("fitting_id", ID, nullable=False),
        sa.Column("wearer_id", ID, nullable=False),
        sa.Column("condition_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("severity", sa.String(length=20), nullable=False),
        sa.Column("clause", sa.String(length=100), nullable=False),
        sa.Column("rule", sa.String(length=60), nullable=False),
        sa.Column("rule_version", sa.String(length=20), nullable=False),
        sa.Column("started_at", AT, nullable=False),
        sa.Column("ended_at", AT, nullable=True),
        sa.Column("detected_at", AT, nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["condition_id"], ["conditions.id"], name=op.f("fk_episodes_condition_id_conditions")
        ),
        sa.ForeignKeyConstraint(
            ["fitting_id"], ["fittings.id"], name=op.f("fk_episodes_fitting_id_fittings")
        ),
        sa.ForeignKeyConstraint(
            ["wearer_id"], ["wearers.id"], name=op.f("fk_episodes_wearer_id_wearers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_episodes")),
        sa.UniqueConstraint(
            "fitting_id",
            "condition_id",
            "kind",
            "started_at",
            name=op.f("uq_episodes_fitting_id_condition_id_kind_started_at"),
        ),
    )
    with op.batch_alter_table("episodes", schema=None) as batch_op:
        batch_op.create_index(
            "ix_episodes_wearer_id_started_at", ["wearer_id", "started_at"], unique=False
        )

    op.create_table(
        "alerts",
        sa.Column("id", ID, nullable=False),
        sa.Column("reference", sa.String(length=12), nullable=False),
        sa.Column("episode_id", ID, nullable=False),
        sa.Column("wearer_id", ID, nullable=False),
        sa.Column("area_id", ID, nullable=False),
        sa.Column("severity", sa.String(length=20), nullable=False),
        sa.Column("severity_rank", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("late_data", sa.Boolean(), nullable=False),
        sa.Column("opened_at", AT, nullable=False),
        sa.Column("acknowledged_at", AT, nullable=True),
        sa.Column("acknowledged_by", ID, nullable=True),
        sa.Column(
            "acknowledgement_expires_at",
            AT,
            nullable=True,
        ),
        sa.Column("resolved_at", AT, nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=True),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("next_step", sa.Integer(), nullable=False),
        sa.Column("next_step_at", AT, nullable=True),
        sa.ForeignKeyConstraint(
            ["acknowledged_by"], ["staff.id"], name=op.f("fk_alerts_acknowledged_by_staff")
        ),
        sa.ForeignKeyConstraint(["area_id"], ["areas.id"], name=op.f("fk_alerts_area_id_areas")),
        sa.ForeignKeyConstraint(
            ["episode_id"], ["episodes.id"], name=op.f("fk_alerts_episode_id_episodes")
        ),
        sa.ForeignKeyConstraint(
            ["wearer_id"], ["wearers.id"], name=op.f("fk_alerts_wearer_id_wearers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sa.UniqueConstraint("episode_id", name=op.f("uq_alerts_episode_id")),
        sa.UniqueConstraint("reference", name=op.f("uq_alerts_reference")),
    )
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.create_index(
            "ix_alerts_next_step_at",
            ["next_step_at"],
            unique=False,
            postgresql_where=sa.text("next_step_at is not null"),
            sqlite_where=sa.text("next_step_at is not null"),
        )
        batch_op.create_index(
            "ix_alerts_state_severity_rank", ["state", "severity_rank"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_alerts_wearer_id"), ["wearer_id"], unique=False)

    op.create_table(
        "episode_history",
        sa.Column("id", ID, nullable=False),
        sa.Column("episode_id", ID, nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("why", sa.String(length=100), nullable=False),
        sa.Column("before", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["episode_id"], ["episodes.id"], name=op.f("fk_episode_history_episode_id_episodes")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_episode_history")),
    )
    with op.batch_alter_table("episode_history", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_episode_history_episode_id"), ["episode_id"], unique=False
        )

    op.create_table(
        "alert_history",
        sa.Column("id", ID, nullable=False),
        sa.Column("alert_id", ID, nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.Column("move", sa.String(length=20), nullable=False),
        sa.Column("staff_id", ID, nullable=True),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.id"], name=op.f("fk_alert_history_alert_id_alerts")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_alert_history_staff_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_history")),
    )
    with op.batch_alter_table("alert_history", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alert_history_alert_id"), ["alert_id"], unique=False)

    op.create_table(
        "text_replies",
        sa.Column("id", ID, nullable=False),
        sa.Column("provider_id", sa.String(length=64), nullable=False),
        sa.Column("received_at", AT, nullable=False),
        sa.Column("staff_id", ID, nullable=True),
        sa.Column("alert_id", ID, nullable=True),
        sa.Column("result", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.id"], name=op.f("fk_text_replies_alert_id_alerts")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_text_replies_staff_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_text_replies")),
        sa.UniqueConstraint("provider_id", name=op.f("uq_text_replies_provider_id")),
    )
    op.create_table(
        "texts",
        sa.Column("id", ID, nullable=False),
        sa.Column("alert_id", ID, nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("staff_id", ID, nullable=False),
        sa.Column("body", sa.String(length=1600), nullable=False),
        sa.Column("code", sa.String(length=6), nullable=False),
        sa.Column("code_expires_at", AT, nullable=False),
        sa.Column("validity_s", sa.Integer(), nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("due_at", AT, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("handed_at", AT, nullable=True),
        sa.Column("provider", sa.String(length=20), nullable=True),
        sa.Column("provider_id", sa.String(length=64), nullable=True),
        sa.Column("delivery", sa.String(length=24), nullable=True),
        sa.Column("fault", sa.String(length=40), nullable=True),
        sa.Column("without_callback", sa.Boolean(), nullable=False),
        sa.Column("resent_after_unknown", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_texts_alert_id_alerts")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_texts_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_texts")),
        sa.UniqueConstraint("alert_id", "step", name=op.f("uq_texts_alert_id_step")),
    )
    with op.batch_alter_table("texts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_texts_code"), ["code"], unique=False)
        batch_op.create_index(
            "ix_texts_due_at",
            ["due_at"],
            unique=False,
            postgresql_where=sa.text("due_at is not null"),
            sqlite_where=sa.text("due_at is not null"),
        )
        batch_op.create_index(batch_op.f("ix_texts_provider_id"), ["provider_id"], unique=False)

    op.create_table(
        "text_attempts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("text_id", ID, nullable=False),
        sa.Column("claimed_at", AT, nullable=False),
        sa.Column("finished_at", AT, nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["text_id"], ["texts.id"], name=op.f("fk_text_attempts_text_id_texts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_text_attempts")),
    )
    with op.batch_alter_table("text_attempts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_text_attempts_text_id"), ["text_id"], unique=False)

    # ### end Alembic commands ###
    refuse_changes()


def downgrade() -> None:
    allow_changes()
    with op.batch_alter_table("text_attempts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_text_attempts_text_id"))

    op.drop_table("text_attempts")
    with op.batch_alter_table("texts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_texts_provider_id"))
        batch_op.drop_index(
            "ix_texts_due_at",
            postgresql_where=sa.text("due_at is not null"),
            sqlite_where=sa.text("due_at is not null"),
        )
        batch_op.drop_index(batch_op.f("ix_texts_code"))

    op.drop_table("texts")
    op.drop_table("text_replies")
    with op.batch_alter_table("alert_history", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_alert_history_alert_id"))

    op.drop_table("alert_history")
    with op.batch_alter_table("episode_history", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_episode_history_episode_id"))

    op.drop_table("episode_history")
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_alerts_wearer_id"))
        batch_op.drop_index("ix_alerts_state_severity_rank")
        batch_op.drop_index(
            "ix_alerts_next_step_at",
            postgresql_where=sa.text("next_step_at is not null"),
            sqlite_where=sa.text("next_step_at is not null"),
        )

    op.drop_table("alerts")
    with op.batch_alter_table("episodes", schema=None) as batch_op:
        batch_op.drop_index("ix_episodes_wearer_id_started_at")

    op.drop_table("episodes")
    with op.batch_alter_table("judgements", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_judgements_check_after",
            postgresql_where=sa.text("check_after is not null"),
            sqlite_where=sa.text("check_after is not null"),
        )

    op.drop_table("judgements")
    op.drop_table("judgement_checkpoints")
    with op.batch_alter_table("conditions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_conditions_order_id"))

    op.drop_table("conditions")
    op.drop_table("zone_victims")
    op.drop_table("victim_wearers")
    op.drop_table("unassigned_readings")
    with op.batch_alter_table("pending_judgements", schema=None) as batch_op:
        batch_op.drop_index("ix_pending_judgements_device_id_id")

    op.drop_table("pending_judgements")
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_orders_wearer_id"))

    op.drop_table("orders")
    op.drop_table("fixes")
    with op.batch_alter_table("fittings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_fittings_wearer_id"))
        batch_op.drop_index(batch_op.f("ix_fittings_device_id"))

    op.drop_table("fittings")
    op.drop_table("device_latest")
    op.drop_table("device_events")
    op.drop_table("battery_levels")
    op.drop_table("alcohol_samples")
    with op.batch_alter_table("web_sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_web_sessions_staff_id"))

    op.drop_table("web_sessions")
    with op.batch_alter_table("wearers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_wearers_area_id"))

    op.drop_table("wearers")
    with op.batch_alter_table("victims", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_victims_area_id"))

    op.drop_table("victims")
    op.drop_table("staff_areas")
    op.drop_table("devices")
    with op.batch_alter_table("audit_entries", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_entries_subject_kind_subject_id")
        batch_op.drop_index(batch_op.f("ix_audit_entries_at"))

    op.drop_table("audit_entries")
    op.drop_table("zones")
    op.drop_table("text_receipts")
    with op.batch_alter_table("staff", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_staff_phone"))

    op.drop_table("staff")
    with op.batch_alter_table("sign_ins", schema=None) as batch_op:
        batch_op.drop_index("ix_sign_ins_account_at")

    op.drop_table("sign_ins")
    with op.batch_alter_table("quarantine", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_quarantine_reason"))
        batch_op.drop_index(batch_op.f("ix_quarantine_last_at"))

    op.drop_table("quarantine")
    with op.batch_alter_table("ingest_batches", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ingest_batches_received_at"))

    op.drop_table("ingest_batches")
    op.drop_table("heartbeats")
    op.drop_table("gateways")
    op.drop_table("areas")


def refuse_changes() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "create function refuse_change() returns trigger language plpgsql as "
            "$$ begin raise exception 'rows of % are never changed', tg_table_name; end $$"
        )
    for table in APPEND_ONLY:
        if op.get_bind().dialect.name == "postgresql":
            op.execute(
                f"create trigger {table}_append_only before update or delete on {table} "
                "for each row execute function refuse_change()"
            )
            op.execute(
                f"create trigger {table}_no_truncate before truncate on {table} "
                "for each statement execute function refuse_change()"
            )
            continue
        for act in ("update", "delete"):
            op.execute(
                f"create trigger {table}_no_{act} before {act} on {table} begin "
                f"select raise(abort, 'rows of {table} are never changed'); end"
            )
        # REPLACE deletes without asking the trigger above.
        op.execute(
            f"create trigger {table}_no_replace before insert on {table} "  # noqa: S608 - our names
            f"when exists (select 1 from {table} where id = new.id) begin "
            f"select raise(abort, 'rows of {table} are never changed'); end"
        )


def allow_changes() -> None:
    for table in APPEND_ONLY:
        if op.get_bind().dialect.name == "postgresql":
            op.execute(f"drop trigger {table}_append_only on {table}")
            op.execute(f"drop trigger {table}_no_truncate on {table}")
            continue
        for act in ("update", "delete", "replace"):
            op.execute(f"drop trigger {table}_no_{act}")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("drop function refuse_change()")
