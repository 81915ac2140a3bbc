"""What granian serves; other servers take `config.wsgi`."""

from django.conf import settings

from config.wsgi import application as wsgi
from jointoit.api.http.gateway import Gateway

application = Gateway(wsgi, threads=settings.SERVE["threads"], places=settings.WEB_PLACES)
