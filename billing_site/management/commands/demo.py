"""`manage.py demo`: the October story on a data folder of its own, one click before the deal."""

import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from metronome import ConflictError, Metronome

from billing_site.demo import scenes, story
from billing_site.foundation import clock, tokens
from billing_site.foundation.actor import Actor, acting
from billing_site.foundation.periods import Period, floor_hour
from billing_site.server import embedded, processes
from billing_site.server.folder import DataFolder
from billing_site.server.run_file import Run

LOGIN = "admin"


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
            if not self.cast_file.exists():
                self._tell_the_story()
            self._show(scenes.Cast.load(self.cast_file))
            server.wait()
        except KeyboardInterrupt:
            self._say("Stopping")
        finally:
            server.terminate()
            server.wait()
            embedded.release(settings.DATA_DIR)

    def _tell_the_story(self) -> None:
        embedded.ensure_running(settings.DATA_DIR)
        by = Actor.command("demo")
        self._say("Setting the test clock to 31 October 2025, 23:00 UTC")
        call_command("clock", "set", story.OPENING.isoformat(), stdout=open(os.devnull, "w"))  # noqa: SIM115
        with acting(by):
            self._make_login()
            _, secret = tokens.create_token("demo", scope="admin", at=clock.wall_time(), by=by)
            client = Metronome(bearer_token=secret, base_url=self.base_url)
            self._say("Metrics, products, prices, Acme and its contract")
            ids = scenes.set_the_stage(client)
            _, customers = tokens.create_token(
                "Acme (reads its own)", scope="read", customer_id=ids["customer_id"], at=clock.wall_time(), by=by
            )
        sent = scenes.send_usage(
            client,
            Period(story.TERM.starting_at, story.OPENING),
            lambda sent: self._say(f"October's usage through the API: {sent:,} events", again=True),
        )
        self.stderr.write("")
        cast = scenes.Cast(**ids, admin_token=secret, customer_token=customers)
        cast.save(self.cast_file)
        self._say(f"{sent:,} events are in")

    def _make_login(self) -> None:
        from django.contrib.auth.models import User

        if not User.objects.filter(username=LOGIN).exists():
            User.objects.create_superuser(LOGIN, password=LOGIN)

    def _show(self, cast: scenes.Cast) -> None:
        client = Metronome(bearer_token=cast.admin_token, base_url=self.base_url)
        self._say("Ready")
        self.stdout.write(
            f"""
  Site        {self.base_url}/admin/          login {LOGIN}, password {LOGIN}
  Reference   {self.base_url}/docs
  API         base_url {self.base_url}
  Token       {cast.admin_token}
  Customer    {cast.customer_id} (Acme)
  Contract    {cast.contract_id}
"""
        )
        self._show_drafts(client, cast)
        python = Path(sys.executable)
        python = python.relative_to(Path.cwd()) if python.is_relative_to(Path.cwd()) else python
        self.stdout.write(
            f"""
  The deal to try: $100,000 by year end, half off everything from 15 October.
  In another terminal:

      {python} manage.py demo --deal           makes it in one edit and shows the change
      {python} manage.py demo --advance 2      lets two days pass: October becomes final

  Ctrl+C stops everything. `manage.py demo --reset` begins again.
"""
        )

    def _show_drafts(self, client: Metronome, cast: scenes.Cast) -> None:
        for invoice in client.v1.customers.invoices.list(customer_id=cast.customer_id, sort="date_asc"):
            number = invoice.model_dump().get("number") or invoice.status.lower()
            when = invoice.start_timestamp or invoice.issued_at
            kind = "Usage of" if invoice.type == "USAGE" else "Due on"
            self.stdout.write(f"\n  {kind} {when:%-d %B %Y}, {number}: ${invoice.total / 100:,.2f}")
            for line in invoice.line_items:
                if line.type == "applied_commit_or_credit":
                    continue
                price = f"at {line.unit_price:,.12g} ¢" if line.type == "usage" else ""
                since = f"from {line.starting_at:%-d %b}" if line.starting_at else ""
                self.stdout.write(f"    {line.name:<38.38} {since:<12} {price:>12} {line.total / 100:>12,.2f}")

    def _deal(self) -> None:
        cast = self._running_cast()
        client = Metronome(bearer_token=cast.admin_token, base_url=self.base_url, max_retries=0)
        self.stdout.write("Before:")
        self._show_drafts(client, cast)
        try:
            scenes.make_the_deal(client, cast)
        except ConflictError as made:
            raise CommandError("The deal is made already; `manage.py demo --reset` begins again.") from made
        self.stdout.write("\nOne edit later:")
        self._show_drafts(client, cast)

    def _advance(self, days: int) -> None:
        cast = self._running_cast()
        client = Metronome(bearer_token=cast.admin_token, base_url=self.base_url)
        embedded.ensure_running(settings.DATA_DIR)
        for _ in range(days):
            start = clock.now()
            scenes.send_usage(client, Period(floor_hour(start), floor_hour(start) + timedelta(days=1)))
            call_command("clock", "advance", "1d", stdout=self.stdout)
        self._show_drafts(client, cast)

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
