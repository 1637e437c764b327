"""The buttons a leader presses: sign in, look into the inbox, enrol the phone, read, approve; decide about a late signature."""

import asyncio
import datetime
import json
import pathlib
import sys
import time
import types

from . import device
from .totp import totp


class Leader:
    """A leader with a phone whose storage is a folder."""

    def __init__(self, api: types.ModuleType, options) -> None:
        self._api, self._options = api, options
        self._folder = pathlib.Path(options.state)
        self._folder.mkdir(parents=True, exist_ok=True)
        roots = pathlib.Path(options.ca).read_text(encoding="ascii") if options.ca else ""
        clock = device.world_clock(api, options.clock) if options.clock else None
        settings = api.Settings(server_url=options.server, roots_pem=roots)
        key, keep = device.device_key(api, self._folder), device.keep(api, self._folder)
        self._core = api.Core(settings, key, keep, None, clock)
        self.steps: list[dict] = []

    async def inbox(self) -> dict:
        session = await self._session()
        page = await self._step("inbox", session.inbox(None))
        return {"documents": [_document(document) for document in page.documents], "next": page.next}

    async def enrol(self) -> dict:
        session = await self._session()
        checked = await self._step("begin", session.begin_enrolment(self._options.device_name))
        consent = checked.consent()
        _say(f"SIM sẽ hiện: {consent.sim_shows}")
        asked = await self._step("confirm", checked.confirm())
        progress = await self._watch(asked)
        person = {"person": session.person().id, "full_name": session.person().full_name}
        return {**person, "device": consent.device, **_outcome(consent, progress), "enrolled": session.is_enrolled()}

    async def approve(self, document: str) -> dict:
        session = await self._session()
        reviewed = await self._step("review", session.review(document))
        shown = reviewed.document()
        _say(f"Văn bản: {shown.subject} ({len(reviewed.main())} byte, SHA-256 {shown.head})")
        checked = await self._step("check", session.check(reviewed))
        consent = checked.consent()
        for field in consent.fields:
            _say(f"Văn thư sẽ điền {field.name}: trang {field.page}, ({field.x:.0f}, {field.y:.0f})")
        _say(f"Mã: {consent.code}." if consent.code else consent.without_code)
        _say(f"SIM sẽ hiện: {consent.sim_shows}")
        asked = await self._step("decide", checked.decide())
        progress = await self._watch(asked)
        return {"document": document, "head": shown.head, **_outcome(consent, progress)}

    async def held(self) -> dict:
        """Signatures that came after their wish was withdrawn."""
        session = await self._session()
        held = await self._step("held", session.held())
        return {"held": [_held(signature) for signature in held]}

    async def adopt(self, attempt: str) -> dict:
        """Reads the document again and lets the late signature count."""
        session = await self._session()
        held = await self._step("held", session.held())
        document = next((one.document for one in held if one.attempt == attempt), None)
        if document is None:
            return {"state": "none", "done": False}
        reviewed = await self._step("review", session.review(document))
        checked = await self._step("check", session.check_held(reviewed, attempt))
        consent = checked.consent()
        _say(f"SIM đã hiện: {consent.sim_showed}")
        asked = await self._step("adopt", checked.adopt())
        progress = await self._watch(asked)
        return {"document": document, "dtbs": consent.dtbs, **_outcome(None, progress)}

    async def void(self, attempt: str, reason: str) -> dict:
        """Gives a late signature up."""
        session = await self._session()
        progress = await self._step("void", session.void_held(attempt, reason))
        return {**_outcome(None, progress), "done": progress.state == "voided"}

    async def go_on(self) -> dict:
        """Takes up every SIM request that was under way when the app was closed."""
        session = await self._session()
        asked = session.go_on()
        progresses = await asyncio.gather(*(self._watch(one) for one in asked))
        outcomes = [{"document": one.document(), **_outcome(None, end)} for one, end in zip(asked, progresses)]
        return {"requests": outcomes, "done": all(outcome["done"] for outcome in outcomes)}

    async def _watch(self, asked):
        begin, before, handed_in = time.monotonic(), None, False
        while True:
            progress = await asked.next()
            handed_in = handed_in or progress.handed_in
            if progress.state != before:
                _say(f"{progress.state}: {progress.message}")
                before = progress.state
            if progress.ended:
                self._took("watch", begin)
                return progress

    async def _session(self):
        """The session kept from the last run, or a fresh one."""
        kept = self._folder / "session.json"
        if kept.exists():
            token, until = json.loads(kept.read_text())
            try:
                return await self._core.resume(token, datetime.datetime.fromisoformat(until))
            except self._api.CoreError.SignIn:
                kept.unlink()
        code = totp(self._options.totp_secret, device.now(self._options.clock).timestamp())
        signing_in = self._core.sign_in(self._options.username, self._options.password, code)
        session = await self._step("sign_in", signing_in)
        device.replace(kept, json.dumps([session.token(), session.expires_at().isoformat()]).encode())
        return session

    async def _step(self, name: str, step):
        begin = time.monotonic()
        result = await step
        self._took(name, begin)
        return result

    def _took(self, name: str, begin: float) -> None:
        self.steps.append({"step": name, "ms": round((time.monotonic() - begin) * 1000, 1)})


def _document(document) -> dict:
    return {"id": document.id, "state": document.state, "subject": document.subject, "urgency": document.urgency}


def _held(signature) -> dict:
    shown = {"attempt": signature.attempt, "document": signature.document, "subject": signature.subject}
    return shown | {"state": signature.state, "reason": signature.reason, "adoptable": signature.adoptable}


def _outcome(consent, progress) -> dict:
    outcome = {
        "attempt": progress.attempt,
        "state": progress.state,
        "done": progress.done,
        "message": progress.message,
        "cms_from": progress.cms_from,
        "handed_in": progress.handed_in,
    }
    if consent is not None:
        shown = {"code": consent.code, "dtbs": consent.dtbs, "display_text": consent.display_text}
        outcome |= {**shown, "sim_shows": consent.sim_shows}
    return outcome


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
