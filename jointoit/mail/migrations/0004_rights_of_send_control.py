"""Let the rights that staff were given on the mail gate hold for what it is called now.

Django renames content types for a RenameModel of its own alone, and permissions never.
"""

from typing import Any

from django.db import migrations

OLD, NEW = ("mailgate", "mail gate"), ("sendcontrol", "send control")


def rename(apps: Any, old: tuple[str, str], new: tuple[str, str]) -> None:
    """A name that a `migrate` has made already, without any right given, makes way."""
    types, permissions = apps.get_model("contenttypes", "ContentType"), apps.get_model("auth", "Permission")
    present = types.objects.filter(app_label="mail", model=old[0]).first()
    if present is None:
        return
    permissions.objects.filter(content_type__app_label="mail", content_type__model=new[0]).delete()
    types.objects.filter(app_label="mail", model=new[0]).delete()
    present.model = new[0]
    present.save()
    for permission in permissions.objects.filter(content_type=present):
        permission.codename = permission.codename.replace(old[0], new[0])
        permission.name = permission.name.replace(old[1], new[1])
        permission.save()


class Migration(migrations.Migration):
    dependencies = [
        ("mail", "0003_words"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.RunPython(
            lambda apps, schema_editor: rename(apps, OLD, NEW), lambda apps, schema_editor: rename(apps, NEW, OLD)
        )
    ]
