"""The clerk's window, as a clerk uses it: read, type the PIN, seal, give back; by keyboard alone."""

from __future__ import annotations

import unittest

from playwright.sync_api import expect


expect.set_options(timeout=60_000)


class ClerksWindow(unittest.TestCase):
    """The tests are one morning, in order."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.page = cls.eyes.page()
        cls.page.set_viewport_size({"width": 1280, "height": 800})
        cls.page.goto(cls.stage.window)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.page.context.close()

    def _shown(self, number: str) -> None:
        expect(self.page.locator("#facts .big dd").first).to_have_text(number)
        expect(self.page.locator("#pages img").first).to_be_visible()

    def test_1_the_queue_is_whole_and_the_first_one_is_checked_and_drawn(self) -> None:
        page, numbers = self.page, self.stage.numbers
        expect(page.locator("#queue button strong")).to_have_text(numbers)
        expect(page.locator("#waiting")).to_have_text(str(len(numbers)))
        self.assertNotIn("#", page.url, "the secret stays in the address")
        self._shown(numbers[0])
        expect(page.locator("#checks li.passed")).to_have_count(9)
        expect(page.locator("#verdict")).to_have_text("Đủ điều kiện đóng dấu.")
        first = page.get_by_role("img", name="Trang 1")
        self.assertGreater(first.evaluate("(image) => image.naturalWidth"), 500)
        self.assertEqual(page.locator("#facts .code").inner_text().isdigit(), True, "the leader's code")
        self.eyes.look(self, page, "window")

    def test_2_every_control_shows_the_keyboard(self) -> None:
        self.page.set_viewport_size({"width": 1280, "height": 800})
        seen = self.eyes.walk(self, self.page, "window", 14)
        for name in ('id="stamp"', 'id="refuse"', 'id="close"', "skip"):
            self.assertTrue(any(name in element for element in seen), f"{name} is not reached: {seen}")

    def test_3_arrows_lead_through_the_queue(self) -> None:
        page, numbers = self.page, self.stage.numbers
        page.locator("#document").focus()
        page.keyboard.press("ArrowDown")
        self._shown(numbers[1])
        page.keyboard.press("ArrowUp")
        self._shown(numbers[0])

    def test_4_a_wrong_pin_is_said_and_the_right_one_seals(self) -> None:
        page, numbers = self.page, self.stage.numbers
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog", name=f"Đóng dấu số {numbers[0]}")).to_be_visible()
        expect(page.locator("#pin")).to_be_focused()
        self.eyes.look(self, page, "pin")
        page.locator("#pin").focus()
        page.keyboard.type("000000")
        page.keyboard.press("Enter")
        expect(page.locator("#stamp-error")).to_contain_text("Sai mã PIN")
        expect(page.locator("#pin")).to_be_focused()
        expect(page.locator("#pin")).to_have_value("")
        self.eyes.look(self, page, "pin-wrong")
        page.locator("#pin").focus()
        page.keyboard.type(self.stage.pin)
        page.keyboard.press("Enter")
        expect(page.locator("#sealed")).to_have_text("1")
        expect(page.locator("#stamp-box")).to_be_hidden()
        self._shown(numbers[1])

    def test_5_the_next_one_needs_no_pin(self) -> None:
        page, numbers = self.page, self.stage.numbers
        expect(page.locator("#document")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#stamp-go")).to_be_focused()
        expect(page.locator("#pin")).to_be_hidden()
        page.keyboard.press("Enter")
        expect(page.locator("#sealed")).to_have_text("2")
        self._shown(numbers[2])

    def test_6_the_last_one_is_given_back_and_the_queue_is_empty(self) -> None:
        page = self.page
        expect(page.locator("#document")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog", name="Từ chối đóng dấu")).to_be_visible()
        expect(page.locator("#reason")).to_be_focused()
        page.keyboard.type("Thiếu phụ lục số 2")
        self.eyes.look(self, page, "refuse")
        page.locator("#reason").focus()
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Không có văn bản nào chờ đóng dấu")).to_be_visible()
        expect(page.locator("#waiting")).to_have_text("0")
        self.eyes.look(self, page, "empty")

    def test_7_closing_ends_the_agent_and_says_so(self) -> None:
        # What the window had asked before, and is answered after the end, disturbs nobody.
        page, held = self.page, []
        page.route("**/desk", lambda route: held.append(route))
        with page.expect_request("**/desk"):
            pass
        page.locator("#close").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Chương trình đóng dấu đã kết thúc")).to_be_visible()
        expect(page.locator("#ended")).to_be_focused()
        for request in held:
            request.abort()
        page.unroute("**/desk")
        expect(page.get_by_role("alert")).to_have_count(0)
        self.eyes.look(self, page, "closed")
