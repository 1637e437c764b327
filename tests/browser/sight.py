"""The stage, the browser, and what is demanded of every page at every size: nothing cut, no barrier, a visible focus."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES = {"phone": (360, 740), "desk": (1280, 800)}
NARROW = {"narrow": (400, 740)}
SCHEMES = ("light", "dark")
TYPE = (100, 200)
"""Per cent of the reader's letters."""

# What runs out of its box, and cannot be reached by scrolling the page up and down. Boxes that are hidden from sight on
# purpose are for screen readers.
CUT = """() => {
  const clipped = (element) => element && (getComputedStyle(element).clipPath !== 'none' || clipped(element.parentElement));
  const shown = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest('.skip') && !clipped(element);
  const told = (element) => `${element.tagName.toLowerCase()}${element.id ? '#' + element.id : ''}.${element.className}: `
    + `${element.scrollWidth} > ${element.clientWidth} «${element.textContent.trim().slice(0, 40)}»`;
  const root = document.documentElement;
  const found = root.scrollWidth > root.clientWidth ? [`the page: ${root.scrollWidth} > ${root.clientWidth}`] : [];
  for (const element of document.body.querySelectorAll('*')) {
    if (!shown(element) || element.clientWidth < 2) continue;
    const style = getComputedStyle(element);
    if (style.overflowX !== 'visible' && element.scrollWidth > element.clientWidth + 1 && element.tagName !== 'INPUT') found.push(told(element));
    if (style.overflowY === 'hidden' && element.scrollHeight > element.clientHeight + 1) found.push('below ' + told(element));
    const { left, right } = element.getBoundingClientRect();
    if (right > innerWidth + 1 || left < -1) found.push(`beyond the edge: ${told(element)}`);
  }
  return found.slice(0, 5);
}"""

# The ring around what has the keyboard: as the browser draws it now.
RING = """() => {
  const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
  return [document.activeElement.outerHTML.slice(0, 90), outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2];
}"""


class Stage:
    """The installation; it ends with this value."""

    def __init__(self, binary: Path) -> None:
        self._process = subprocess.Popen([binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{binary} ended with {self._process.wait()} before it was ready")
        ready = json.loads(line)
        self.window, self.server, self.world = ready["window"], ready["server"], ready["world"]
        self.pin, self.numbers = ready["pin"], ready["numbers"]

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *_) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)


class Sight:
    """One browser with a profile of its own."""

    def __init__(self, pictures: Path) -> None:
        self._pictures, self._axe = pictures, Axe()

    def __enter__(self) -> "Sight":
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        return self

    def __exit__(self, *_) -> None:
        self._browser.close()
        self._playwright.stop()

    def page(self) -> Page:
        """A fresh tab; whatever a page's script complains of is an error of the test."""
        context = self._browser.new_context(locale="vi-VN", timezone_id="Asia/Ho_Chi_Minh", reduced_motion="reduce")
        context.set_default_timeout(60_000)
        page = context.new_page()
        page.complaints = []  # type: ignore[attr-defined]
        page.on("pageerror", lambda error: page.complaints.append(str(error)))  # type: ignore[attr-defined]
        return page

    def look(self, test, page: Page, name: str, sizes: dict[str, tuple[int, int]] = SIZES) -> None:
        """Every size, scheme and letter: nothing is cut, and axe-core finds no barrier."""
        for size, (width, height) in sizes.items():
            page.set_viewport_size({"width": width, "height": height})
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                for letters in TYPE:
                    page.evaluate("(size) => { document.documentElement.style.fontSize = size }", f"{letters}%")
                    view = f"{name}-{size}-{scheme}-{letters}"
                    page.screenshot(path=self._pictures / f"{view}.png")
                    with test.subTest(view):
                        test.assertEqual(page.evaluate(CUT), [], view)
                        # Colours differ by scheme, layout by size and letters: each pair is judged once.
                        if letters == TYPE[0] or scheme == SCHEMES[0]:
                            test.assertEqual(self._barriers(page), [], view)
        page.evaluate("() => { document.documentElement.style.fontSize = '' }")
        page.emulate_media(color_scheme="light")
        test.assertEqual(page.complaints, [], name)  # type: ignore[attr-defined]

    def _barriers(self, page: Page) -> list[str]:
        found = self._axe.run(page).response["violations"]
        return [f"{one['id']}: {node['html'][:120]}: {node.get('failureSummary')}" for one in found for node in one["nodes"]]

    def walk(self, test, page: Page, name: str, steps: int) -> list[str]:
        """Tabs through the page: whatever gets the keyboard shows it."""
        seen = []
        for _ in range(steps):
            page.keyboard.press("Tab")
            element, ring = page.evaluate(RING)
            if not element.startswith("<body"):
                test.assertTrue(ring, f"{name}: no focus ring on {element}")
                seen.append(element)
        return seen
