"""What the site adds to the admin and takes out of it again."""

from django.contrib import admin
from django.contrib.auth import admin as auth_admin
from django.contrib.auth.models import Group, User
from django_q import admin as queue_admin  # registers its models, so that they can be unregistered
from django_q.models import OrmQ
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

admin.site.site_header = admin.site.site_title = "Countinghouse"
admin.site.index_title = "Back office"

# The pages of users and groups come again below, with forms that the skin makes readable.
# A schedule or a queued task names any function by its path, and "resubmit" is an action that needs no more than the
# permission to view: whoever sees these pages could run code. Jobs are seen on our own page.
for model in (User, Group, queue_admin.Schedule, queue_admin.Success, queue_admin.Failure, OrmQ):
    admin.site.unregister(model)


@admin.register(User)
class UserAdmin(auth_admin.UserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(auth_admin.GroupAdmin, ModelAdmin):
    pass
