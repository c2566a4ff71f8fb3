"""`manage.py demo`: the October story on a data folder of its own, one click before the deal."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection
from metronome import APIError, ConflictError, Metronome

from billing_site.demo import scenes, story, town
from billing_site.demo.services import Services
from billing_site.foundation import clock, tokens
from billing_site.foundation.actor import Actor, acting
from billing_site.foundation.display import instant_text
from billing_site.foundation.periods import Period
from billing_site.roles import Role
from billing_site.server import embedded, processes
from billing_site.server.folder import DataFolder
from billing_site.server.run_file import Run
from contracts.models import CustomerLogin
from invoicing.services import move_clock

LOGIN = "admin"
LOGINS = {  # of the back office, by role; the password of each is its name
    Role.EDITOR: "editor",
    Role.APPROVER: "approver",
    Role.FINANCE: "finance",
    Role.AUDITOR: "auditor",
    Role.OPERATOR: "operator",
}


class Command(BaseCommand):
    help = "Run Countinghouse with a believable customer, one edit before the deal. Ctrl+C stops it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--reset", action="store_true", help="begin again from an empty folder")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--deal", action="store_true", help="make the deal in the running demo, and show the change")
        what.add_argument("--advance", metavar="DAYS", type=int, help="let days pass in the running demo, with usage")

    def handle(self, *, host: str, port: int, reset: bool, deal: bool, advance: int | None, **_: Any) -> None:
        if not os.environ.get("COUNTINGHOUSE_DEMO"):
            self._begin_again_in_a_sandbox()
        self.base_url = f"http://{host}:{port}"
        self.cast_file = settings.DATA_DIR / "demo.json"
        if deal:
            self._deal()
        elif advance is not None:
            self._advance(advance)
        else:
            self._run(host, port, reset=reset)

    def _begin_again_in_a_sandbox(self) -> None:
        """The demo never touches another database: it has its own folder, and a clock that can be moved."""
        folder = Path(os.environ.get("COUNTINGHOUSE_DATA") or settings.BASE_DIR / ".data") / "demo"
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        environment |= {
            "COUNTINGHOUSE_DEMO": "1",
            "COUNTINGHOUSE_SANDBOX": "1",
            "COUNTINGHOUSE_DATA": str(folder),
        }
        os.execve(sys.executable, [sys.executable, *sys.argv], environment)  # noqa: S606 the same command again

    def _run(self, host: str, port: int, *, reset: bool) -> None:
        self.began = time.monotonic()
        if settings.DATA_DIR.exists() and (reset or not self.cast_file.exists()):
            if embedded.is_kept(settings.DATA_DIR):
                raise CommandError("The demo is running already: stop it (Ctrl+C where it runs), then try again.")
            shutil.rmtree(settings.DATA_DIR)  # without a cast, it is what a first run left that was cut off
        self._say("Starting PostgreSQL, the web workers and the job cluster")
        # A shell may have started us with interrupts ignored; whoever sends one wants an end all the same.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
        server = subprocess.Popen(
            [sys.executable, sys.argv[0], "serve", "--host", host, "--port", str(port)],
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=processes.end_with_parent(signal.SIGTERM),
        )
        try:
            line = server.stdout.readline() if server.stdout else ""
            if not line.startswith("ready"):
                raise SystemExit(server.wait() or 1)  # serve has said why
            embedded.ensure_running(settings.DATA_DIR)
            if not self.cast_file.exists():
                self._tell_the_story()
            cast = scenes.Cast.load(self.cast_file)
            services = Services(Metronome(bearer_token=cast.admin_token, base_url=self.base_url))
            self._show(cast)
            self._let_them_post(services, server)
        except KeyboardInterrupt:
            self._say("Stopping")
        finally:
            server.terminate()
            server.wait()
            embedded.release(settings.DATA_DIR)

    def _let_them_post(self, services: Services, server: subprocess.Popen[str]) -> None:
        """As long as the site runs, usage comes along whenever the clock moves."""
        busy = 0.0
        while server.poll() is None:
            try:
                if services.look():
                    busy = time.monotonic()
                # Nobody minds half a second before the clock begins to move; sixty of them would be noticed.
                time.sleep(0.02 if time.monotonic() - busy < 5 else 0.4)
            except (DatabaseError, APIError) as trouble:
                self._say(f"Usage could not be posted, and will be tried again: {trouble}")
                connection.close()
                time.sleep(2)

    def _tell_the_story(self) -> None:
        by = Actor.command("demo")
        self._say("Metrics, products, prices, Acme and its contract")
        move_clock(town.MOVING_IN, by=by)
        with acting(by):
            _, secret = tokens.create_token("demo", scope="admin", at=clock.wall_time(), by=by)
            client = Metronome(bearer_token=secret, base_url=self.base_url)
            ids = scenes.set_the_stage(client)
            self._make_logins(ids["customer_id"])
            _, customers = tokens.create_token(
                "Acme (reads its own)", scope="read", customer_id=ids["customer_id"], at=clock.wall_time(), by=by
            )
        self._say("A dozen more customers, their usage since summer, and their invoices")
        scenes.move_in_the_town(client)
        begin = min(company.term.starting_at for company in town.COMPANIES)
        for stop in (town.MOVING_IN, *town.stops()):
            move_clock(stop, by=by)
            scenes.send_usage_of_the_town(client, Period(begin, stop))
            begin = stop
        sent = scenes.send_usage(
            client,
            Period(story.TERM.starting_at, story.OPENING),
            lambda sent: self._say(f"Acme's October through the API: {sent:,} events", again=True),
        )
        cast = scenes.Cast(**ids, admin_token=secret, customer_token=customers)
        cast.save(self.cast_file)
        self._say(f"Acme's October is in: {sent:,} events through the API")

    def _make_logins(self, customer_id: str) -> None:
        """A superuser, one for each role of the back office, and one of Acme's that sees Acme alone."""
        User.objects.create_superuser(LOGIN, password=LOGIN)
        for role, name in LOGINS.items():
            user = User.objects.create_user(name, password=name, is_staff=True)
            user.groups.add(Group.objects.get(name=role))
        theirs = User.objects.create_user(story.ALIAS, password=story.ALIAS)
        theirs.groups.add(Group.objects.get(name=Role.CUSTOMER_VIEWER))
        CustomerLogin.objects.create(user=theirs, customer_id=customer_id)

    def _show(self, cast: scenes.Cast) -> None:
        client = Metronome(bearer_token=cast.admin_token, base_url=self.base_url)
        self._say("Ready")
        admin = f"{self.base_url}/admin"
        self.stdout.write(
            f"""
  Back office      {admin}/    login {LOGIN}, password {LOGIN}; with less to do:
                   {", ".join(LOGINS.values())} (each its own password)
  Acme's contract  {admin}/contracts/contract/{cast.contract_id}/change/
  Test clock       {admin}/foundation/testclock/
  Acme's own page  {self.base_url}/portal/    login {story.ALIAS}, password {story.ALIAS}
  API              {self.base_url}, described at {self.base_url}/docs
  Token            {cast.admin_token}

  Acme at {instant_text(clock.now())}:"""
        )
        self._show_documents(client, cast)
        python = Path(sys.executable)
        python = python.relative_to(Path.cwd()) if python.is_relative_to(Path.cwd()) else python
        self.stdout.write(
            f"""
  The deal to try: $100,000 by year end, half off everything from 15 October.
  By clicks on the page of Acme's contract; or in another terminal:

      {python} manage.py demo --deal           makes it in one edit and shows the change
      {python} manage.py demo --advance 2      lets two days pass: October becomes final

  The buttons of the test clock do that too, and go on to the year end; usage comes along with every day.
  Ctrl+C stops everything. `manage.py demo --reset` begins again.
"""
        )

    def _show_documents(self, client: Metronome, cast: scenes.Cast) -> None:
        """Acme's invoices, with the lines of those that are not final."""
        for invoice in client.v1.customers.invoices.list(customer_id=cast.customer_id, sort="date_asc"):
            number = invoice.model_dump().get("number") or invoice.status.lower()
            when = invoice.start_timestamp or invoice.issued_at
            kind = "Usage of" if invoice.type == "USAGE" else "Due on"
            self.stdout.write(f"\n  {kind} {when:%-d %B %Y}, {number}: ${invoice.total / 100:,.2f}")
            for line in invoice.line_items if invoice.status == "DRAFT" else []:
                if line.type == "applied_commit_or_credit":
                    continue
                price = f"at {line.unit_price:,.12g} ¢" if line.type == "usage" else ""
                since = f"from {line.starting_at:%-d %b}" if line.starting_at else ""
                self.stdout.write(f"    {line.name:<38.38} {since:<12} {price:>12} {line.total / 100:>12,.2f}")

    def _deal(self) -> None:
        cast = self._running_cast()
        client = Metronome(bearer_token=cast.admin_token, base_url=self.base_url, max_retries=0)
        self.stdout.write("Before:")
        self._show_documents(client, cast)
        try:
            scenes.make_the_deal(client, cast)
        except ConflictError as made:
            raise CommandError("The deal is made already; `manage.py demo --reset` begins again.") from made
        self.stdout.write("\nOne edit later:")
        self._show_documents(client, cast)

    def _advance(self, days: int) -> None:
        """The running demo posts the usage of the days; the clock waits for it."""
        cast = self._running_cast()
        call_command("clock", "advance", f"{days}d", stdout=self.stdout, stderr=self.stderr)
        self._show_documents(Metronome(bearer_token=cast.admin_token, base_url=self.base_url), cast)

    def _running_cast(self) -> scenes.Cast:
        """The story's ids; from here on `base_url` is where the demo answers, whatever port it was given."""
        run = Run.read(DataFolder.at(settings.DATA_DIR).run_file)
        if run is None or not run.serve.is_alive() or not self.cast_file.exists():
            raise CommandError("There is no demo to act on: start it with `make demo`, and leave it running.")
        self.base_url = run.address
        return scenes.Cast.load(self.cast_file)

    def _say(self, what: str, *, again: bool = False) -> None:
        elapsed = time.monotonic() - self.began
        if again and not self.stderr.isatty():
            return
        self.stderr.write(f"[{elapsed:5.1f} s] {what}", ending="\r" if again else "\n")
        self.stderr.flush()
