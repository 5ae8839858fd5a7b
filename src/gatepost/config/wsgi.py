import os

from django.core.wsgi import get_wsgi_application

from gatepost.config.environment import WrongSetting
from gatepost.config.processes import end_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gatepost.config.settings")
application = get_wsgi_application()
end_with_parent()  # granian's own process, which started this one

from gatepost.config.settings import ENVIRONMENT  # noqa: E402

if not ENVIRONMENT.secret_key:
    # Sessions signed with a key that everybody knows would let everybody in.
    raise WrongSetting(
        "GATEPOST_SECRET_KEY is missing: set at least 32 random characters. `gatepost serve` makes its own."
    )
