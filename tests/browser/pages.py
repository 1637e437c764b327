"""The server's page and the world's page with the virtual SIMs."""

from __future__ import annotations

import unittest

from .sight import NARROW, SIZES


class Pages(unittest.TestCase):
    def test_1_the_state_of_things(self) -> None:
        page = self.eyes.page()
        page.goto(self.stage.server)
        row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="Chờ đóng dấu"))
        self.assertEqual(row.get_by_role("cell").last.inner_text(), str(len(self.stage.numbers)))
        self.eyes.look(self, page, "server")
        self.assertGreaterEqual(len(self.eyes.walk(self, page, "server", 4)), 2)
        page.context.close()

    def test_2_the_virtual_sims_and_their_log(self) -> None:
        page = self.eyes.page()
        page.goto(self.stage.world)
        log = page.locator("#log tbody tr")
        log.first.wait_for()
        # An enrolment and an approval for each document, each with its code.
        self.assertGreater(log.count(), len(self.stage.numbers))
        self.eyes.look(self, page, "world", SIZES | NARROW)
        for name in SIZES | NARROW:
            width, height = (SIZES | NARROW)[name]
            page.set_viewport_size({"width": width, "height": height})
            cells = page.evaluate(
                """() => [...document.querySelectorAll('#log tbody td')].filter((cell) => cell.textContent
                   && (cell.getBoundingClientRect().right > innerWidth || cell.scrollWidth > cell.clientWidth + 1)).length"""
            )
            self.assertEqual(cells, 0, f"{name}: cells of the log are cut")
        self.assertGreaterEqual(len(self.eyes.walk(self, page, "world", 6)), 4)
        page.context.close()
