"""Accessibility of pages, by axe-core."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

CONTRAST = "color-contrast"
MARK_EACH_LOOK = """() => {
  const grounds = new Map([[null, ""]]), looks = new Set();
  const ground = (element) => {
    if (!grounds.has(element)) {
      const { backgroundColor, backgroundImage, opacity } = getComputedStyle(element);
      grounds.set(element, [ground(element.parentElement), backgroundColor, backgroundImage, opacity].join());
    }
    return grounds.get(element);
  };
  const isText = (element) => element.matches("input, select, textarea")
    || [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  for (const element of document.querySelectorAll("body, body *")) {
    if (!element.checkVisibility() || !isText(element)) continue;
    const { color, fontSize, fontWeight, textShadow } = getComputedStyle(element);
    const look = [color, fontSize, fontWeight, textShadow, element.localName, ground(element)].join();
    if (!looks.has(look)) element.setAttribute("data-look", "");
    looks.add(look);
  }
}"""
"""A script that marks one text of each colour, size and background, because others like it have the same contrast."""


def barriers(page: Page) -> list[tuple[str, list[Any]]]:
    """The broken rules, with the first places of each."""
    return _violations(page, options={"rules": {CONTRAST: {"enabled": False}}}) + faint_texts(page)


def faint_texts(page: Page) -> list[tuple[str, list[Any]]]:
    """As `barriers`, but only by colours, for one text of each look, because it is slow."""
    page.evaluate(MARK_EACH_LOOK)
    options = {"runOnly": {"type": "rule", "values": [CONTRAST]}}
    return _violations(page, context={"include": [["[data-look]"]]}, options=options)


def _violations(page: Page, *, options: dict[str, Any], **where: Any) -> list[tuple[str, list[Any]]]:
    found = Axe().run(page, options={**options, "resultTypes": ["violations"]}, **where).response["violations"]
    return [(each["id"], [node["target"] for node in each["nodes"]][:5]) for each in found]
