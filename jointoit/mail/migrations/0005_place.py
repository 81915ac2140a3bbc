from django.db import migrations, models

# What a copy that was not looked at yet says of its home stays wrong, so that the first sender holds it.
ADOPT = """
    UPDATE mail_mailgate SET place = concat_ws(
        '/', home, left(pg_walfile_name(pg_current_wal_lsn()), 8), 'django_migrations'::regclass::oid,
        (SELECT xmin FROM django_migrations ORDER BY id LIMIT 1))
    WHERE home = (SELECT (SELECT system_identifier FROM pg_control_system()) || '/' || oid
                  FROM pg_database WHERE datname = current_database())
"""


class Migration(migrations.Migration):
    """`home` stays, for the code of the release before, which looks there."""

    dependencies = [("mail", "0004_rights_of_send_control")]

    operations = [
        migrations.AddField(
            "sendcontrol",
            "place",
            models.TextField(
                blank=True,
                db_default="",
                help_text="Where it was written; a copy that was restored finds another place here.",
            ),
        ),
        migrations.AddField(
            "sendcontrol",
            "claims",
            models.BigIntegerField(db_default=0, help_text="Batches of mail that were claimed, ever."),
        ),
        migrations.AddField(
            "sendcontrol",
            "looked_at",
            models.DateTimeField(help_text="When a worker or sweeper last looked for mail.", null=True),
        ),
        migrations.AlterField(
            "sendcontrol",
            "home",
            models.TextField(blank=True, default="", help_text="What the release before knew of `place`."),
        ),
        migrations.RunSQL(ADOPT, migrations.RunSQL.noop),
    ]
