from django.db import migrations


class Migration(migrations.Migration):
    """Buckets are counted many times a second and worth nothing after a crash: no need to log them."""

    dependencies = [("api", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE api_ratebucket SET UNLOGGED",
            reverse_sql="ALTER TABLE api_ratebucket SET LOGGED",
        )
    ]
