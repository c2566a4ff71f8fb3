"""What the site adds to the admin and takes out of it again."""

from django.contrib import admin
from django_q import admin as queue_admin  # registers its models, so that they can be unregistered
from django_q.models import OrmQ

admin.site.site_header = admin.site.site_title = "Countinghouse"
admin.site.index_title = "Back office"

# A schedule or a queued task names any function by its path, and "resubmit" is an action that needs no more than the
# permission to view: whoever sees these pages could run code. Jobs are seen on our own page.
for model in (queue_admin.Schedule, queue_admin.Success, queue_admin.Failure, OrmQ):
    admin.site.unregister(model)
