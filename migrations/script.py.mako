"""${message}

Revision ID: ${up_revision}
Revises: ${down_revision | comma,n}

Rules: works with the previous release; no long lock (PostgreSQL lock_timeout is 5 s); a column
is removed in two releases; reversible, or the downgrade says why not.
"""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
