"""Which customer a login sees, and that one login sees one customer."""

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse

from contracts.models import CustomerLogin
from contracts.queries import customer_of
from tests.factories.contracts import CustomerFactory, CustomerLoginFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_a_login_sees_its_own_customer():
    login = CustomerLoginFactory()
    CustomerLoginFactory(customer=CustomerFactory(name="Globex"))
    assert customer_of(login.user) == login.customer
    assert customer_of(UserFactory()) is None


def test_several_people_may_look_at_one_customer():
    customer = CustomerFactory()
    people = [CustomerLoginFactory(customer=customer).user for _ in range(2)]
    assert [customer_of(person) for person in people] == [customer, customer]


def test_the_database_refuses_a_second_customer_for_a_login():
    login = CustomerLoginFactory()
    with pytest.raises(IntegrityError):
        CustomerLoginFactory(customer=CustomerFactory(name="Globex"), user=login.user)


def test_staff_need_no_login_of_a_customer_and_whoever_becomes_staff_loses_it():
    login = CustomerLoginFactory()
    login.user.is_staff = True
    assert customer_of(login.user) is None
    with pytest.raises(ValidationError, match="Members of staff"):
        login.full_clean()


def test_a_login_is_given_in_the_admin_and_keeps_its_history():
    admin, person, customer = User.objects.create_superuser("ada", password="x"), UserFactory(), CustomerFactory()
    client = Client()
    client.force_login(admin)
    address = reverse("admin:contracts_customerlogin_add")
    answer = client.post(address, {"user": person.pk, "customer": customer.pk, "reason": "Asked for by Dana"})
    assert answer.status_code == 302, answer.context["errors"]
    [login] = CustomerLogin.objects.all()
    [made] = login.history.all()
    assert (made.actor_label, made.history_change_reason) == ("ada", "Asked for by Dana")
    refused = client.post(address, {"user": admin.pk, "customer": customer.pk})
    assert "Members of staff" in refused.content.decode()
